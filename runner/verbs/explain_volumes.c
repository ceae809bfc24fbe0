/* The volumes of a plan, told to people; what is in a file isn't. */
#include "runner/verbs/explain.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ENTRIES_SHOWN 12

/* The files of a volume, each on a line. */
static void print_entries(const struct volume *volume, FILE *out)
{
	for (size_t i = 0; i < volume->n_entries && i < ENTRIES_SHOWN; i++) {
		const struct volume_entry *entry = &volume->entries[i];
		cleanup_free char *path = text_printable(entry->path, strlen(entry->path));
		cleanup_free char *source = text_printable(entry->source, strlen(entry->source));
		char size[32];

		explain_label("", out);
		fprintf(out, "  %s  %04o, %s: %s\n", path, entry->mode,
			text_size(entry->size, size, sizeof(size)), source);
	}
	if (volume->n_entries <= ENTRIES_SHOWN)
		return;
	explain_label("", out);
	fprintf(out, "  and %zu more\n", volume->n_entries - ENTRIES_SHOWN);
}

void explain_volumes(const struct pod *pod, FILE *out)
{
	static const char *const kinds[] = {
		[VOLUME_EMPTY_DIR] = "emptyDir",
		[VOLUME_HOST_PATH] = "hostPath",
		[VOLUME_CONFIG_MAP] = "configMap",
		[VOLUME_SECRET] = "secret",
		[VOLUME_DOWNWARD] = "downwardAPI",
		[VOLUME_PROJECTED] = "projected",
		[VOLUME_UNSUPPORTED] = "not supported",
	};

	for (size_t i = 0; i < pod->n_volumes; i++) {
		const struct volume *volume = &pod->volumes[i];

		explain_label(i ? "" : "volumes", out);
		fprintf(out, "%s  %s", volume->name, kinds[volume->kind]);
		if (volume->kind == VOLUME_HOST_PATH)
			fprintf(out, " %s", volume->host_path);
		if (volume->kind == VOLUME_EMPTY_DIR) {
			char size[32];

			fprintf(out, "%s, %s", volume->memory ? " in memory" : " on disk",
				volume->size_limit ? text_size(volume->size_limit, size, sizeof(size))
						   : "not limited");
		}
		if (volume_has_entries(volume))
			fprintf(out, " in memory, %zu file%s", volume->n_entries,
				volume->n_entries == 1 ? "" : "s");
		putc('\n', out);
		print_entries(volume, out);
	}
}
