/* What `minirun logs` is asked for: its options, with kubectl's rules and words. */
#include "runner/verbs/log_request.h"

#include <string.h>

#include "runner/verbs/catalog.h"
#include "runner/verbs/selector.h"

#define SELECTOR_TAIL 10 /* lines */
#define MOST_FOLLOWED 5 /* streams */

/* In the form that logs have, of what is given in whole seconds. */
static void set_since(struct log_request *request, time_t since)
{
	struct tm tm;

	gmtime_r(&since, &tm);
	strftime(request->since, sizeof(request->since), "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
}

/* RFC 3339: "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.5+01:00". As with kubectl the fraction is left out. */
static bool parse_time(const char *text, time_t *result)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	static const char form[] = "+00:00";
	int64_t digits[sizeof(form)], minutes;

	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest)
		return false;
	*result = timegm(&tm);
	if (!strcmp(rest, "Z"))
		return true;
	if (strspn(rest, "+-") != 1 || strlen(rest) != strlen(form) || rest[3] != ':')
		return false;
	for (size_t i = 1; i < strlen(form); i++) {
		digits[i] = rest[i] - '0';
		if (i != 3 && (digits[i] < 0 || digits[i] > 9))
			return false;
	}
	minutes = 60 * (10 * digits[1] + digits[2]) + 10 * digits[4] + digits[5];
	*result -= (*rest == '-' ? -60 : 60) * minutes;
	return true;
}

static int read_since(const struct invocation *invocation, struct log_request *request, struct error *err)
{
	const char *text = invocation->value[OPTION_SINCE_TIME];
	int64_t ms = 0;
	time_t since;

	if (option_duration(invocation, OPTION_SINCE, &ms, err) < 0)
		return -1;
	if (ms < 0)
		return error_set(err, ERROR_USAGE, 0, "--since must be greater than 0");
	if (text && *text && ms)
		return error_set(
			err, ERROR_USAGE, 0, "at most one of `sinceTime` or `sinceSeconds` may be specified");
	if (ms)
		set_since(request, time(NULL) - (time_t)(ms / 1000));
	if (!text || !*text)
		return 0;
	if (!parse_time(text, &since))
		return error_set(err, ERROR_USAGE, 0,
			"parsing time \"%s\": --since-time is of the form 2006-01-02T15:04:05Z", text);
	set_since(request, since);
	return 0;
}

/* Which pods and containers are meant. */
static int read_operands(const struct invocation *invocation, struct log_request *request, struct error *err)
{
	char **operands = invocation->operands;
	int n = invocation->n_operands;

	request->selector = invocation->value[OPTION_SELECTOR];
	request->container = invocation->value[OPTION_CONTAINER];
	if ((n == 0 && !request->selector) || n > 2) {
		error_set(err, ERROR_USAGE, 0, "logs wants the name of a pod");
		return error_hint(err, "minirun logs NAME [-c CONTAINER], or minirun logs -l LABELS");
	}
	if (n && request->selector)
		return error_set(err, ERROR_USAGE, 0, "only a selector (-l) or a POD name is allowed");
	if (n == 2 && request->container)
		return error_set(
			err, ERROR_USAGE, 0, "only one of -c or an inline [CONTAINER] arg is allowed");
	if (n)
		request->pod = catalog_pod_of(operands[0]);
	if (n == 2)
		request->container = operands[1];
	if (request->container && request->all)
		return error_set(err, ERROR_USAGE, 0,
			"--all-containers=true should not be specified with container name %s",
			request->container);
	return request->selector ? selector_check(request->selector, err) : 0;
}

int log_request_read(const struct invocation *invocation, struct log_request *request, struct error *err)
{
	*request = (struct log_request){
		.namespace = catalog_namespace(invocation),
		/* kubectl's, for many pods at once */
		.tail = invocation->value[OPTION_SELECTOR] ? SELECTOR_TAIL : -1,
		.most = MOST_FOLLOWED,
		.timestamps = invocation->value[OPTION_TIMESTAMPS] != NULL,
		.previous = invocation->value[OPTION_PREVIOUS] != NULL,
		.follow = invocation->value[OPTION_FOLLOW] != NULL,
		.prefix = invocation->value[OPTION_PREFIX] != NULL,
		.all = invocation->value[OPTION_ALL_CONTAINERS] != NULL,
	};
	if (option_number(invocation, OPTION_TAIL, &request->tail, err) < 0 ||
		option_number(invocation, OPTION_MAX_LOG_REQUESTS, &request->most, err) < 0 ||
		read_since(invocation, request, err) < 0)
		return -1;
	if (request->tail < -1)
		return error_set(err, ERROR_USAGE, 0, "--tail must be greater than or equal to -1");
	return read_operands(invocation, request, err);
}
