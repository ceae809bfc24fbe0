/* What the command line says of fetching and unpacking images: limits, credentials, certificates. */
#include "runner/plan/pull_settings.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

/* A number of bytes as Kubernetes writes quantities: 500M, 16Gi. */
static bool parse_bytes(const char *text, uint64_t *bytes)
{
	static const struct {
		const char *suffix;
		uint64_t factor;
	} units[] = {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {"T", 1000000000000},
		{"Ki", 1ULL << 10}, {"Mi", 1ULL << 20}, {"Gi", 1ULL << 30}, {"Ti", 1ULL << 40}};
	size_t digits = strspn(text, "0123456789");
	cleanup_free char *number = xstrndup(text, digits);
	int64_t n;

	if (!text_to_integer(number, 1, INT64_MAX, &n))
		return false;
	for (size_t i = 0; i < array_length(units); i++)
		if (!strcmp(units[i].suffix, text + digits))
			return !__builtin_mul_overflow((uint64_t)n, units[i].factor, bytes);
	return false;
}

static int read_limits(const struct invocation *invocation, struct load_limits *limits, struct error *err)
{
	const char *bytes = invocation->value[OPTION_MAX_BYTES];
	const char *memory = invocation->value[OPTION_MAX_MEMORY];
	int64_t entries = 0, ratio = 0;

	*limits = load_limits_default;
	if (bytes && !parse_bytes(bytes, &limits->max_bytes))
		return error_set(
			err, ERROR_USAGE, 0, "--max-bytes %s: a number of bytes such as 500M or 16Gi", bytes);
	if (memory && !parse_bytes(memory, &limits->max_memory))
		return error_set(
			err, ERROR_USAGE, 0, "--max-memory %s: a number of bytes such as 64Mi", memory);
	if (option_integer(invocation, OPTION_MAX_ENTRIES, 1, &entries, err) < 0 ||
		option_integer(invocation, OPTION_MAX_RATIO, 1, &ratio, err) < 0)
		return -1;
	if (entries)
		limits->max_entries = (uint64_t)entries;
	/* More is as good as none. */
	if (ratio)
		limits->max_ratio = ratio < UINT32_MAX ? (unsigned int)ratio : UINT32_MAX;
	return 0;
}

/* skopeo runs in another folder than we. */
static int make_absolute(const char *path, char **absolute, struct error *err)
{
	char folder[PATH_MAX];

	if (!path || path[0] == '/') {
		*absolute = xstrdup(path);
		return 0;
	}
	if (!getcwd(folder, sizeof(folder)))
		return error_set(err, ERROR_HOST, errno, "cannot tell which folder this is");
	*absolute = xasprintf("%s/%s", folder, path);
	return 0;
}

int pull_settings_read(const struct invocation *invocation, struct pull_settings *settings, struct error *err)
{
	const char *verify = invocation->value[OPTION_TLS_VERIFY];

	*settings = (struct pull_settings){0};
	if (verify && strcmp(verify, "true") != 0 && strcmp(verify, "false") != 0)
		return error_set(err, ERROR_USAGE, 0, "--tls-verify %s: it is true or false", verify);
	if (read_limits(invocation, &settings->limits, err) < 0 ||
		make_absolute(invocation->value[OPTION_AUTHFILE], &settings->authfile, err) < 0 ||
		make_absolute(invocation->value[OPTION_CERT_DIR], &settings->cert_dir, err) < 0) {
		pull_settings_free(settings);
		return -1;
	}
	if (settings->authfile && access(settings->authfile, R_OK) < 0) {
		error_set(err, ERROR_USAGE, errno, "--authfile %s", settings->authfile);
		pull_settings_free(settings);
		return -1;
	}
	settings->options = (struct pull_options){
		.limits = &settings->limits,
		.authfile = settings->authfile,
		.cert_dir = settings->cert_dir,
		.no_tls_verify = verify && !strcmp(verify, "false"),
	};
	return 0;
}

void pull_settings_free(struct pull_settings *settings)
{
	free(settings->authfile);
	free(settings->cert_dir);
	settings->authfile = settings->cert_dir = NULL;
}
