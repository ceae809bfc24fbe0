/* The table of fields itself: each row is complete, in order, and shown. */
#include "runner/manifest/fields.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/manifest/manifest.h"
#include "tests/unit/unit.h"

#define DEPTH_MAX 12

static size_t rows;

static void complain(const struct object *object, const struct field *field, const char *what)
{
	printf("# %s.%s: %s\n", object->name, field->name, what);
	unit_failures++;
}

static void check_row(const struct object *object, const struct field *field)
{
	if ((field->type == FIELD_OBJECT) != (field->object != NULL))
		complain(object, field, "has an object and is none, or the other way round");
	if ((field->use == USE_PART) != (field->note == NULL))
		complain(object, field, "a part needs no note, and everything else needs one");
	if (field->note &&
		(!*field->note || strchr(field->note, '\n') || field->note[strlen(field->note) - 1] == '.'))
		complain(object, field, "a note is one line without a full stop");
	if (field->quiet && field->use != USE_WARN && field->use != USE_REFUSE)
		complain(object, field, "has quiet values, but nothing is ever said");
}

static void check_object(const struct object *object, unsigned int depth)
{
	if (depth > DEPTH_MAX) {
		printf("# %s: the table has a loop\n", object->name);
		unit_failures++;
		return;
	}
	for (size_t i = 0; i < object->n; i++) {
		const struct field *field = &object->fields[i];

		rows++;
		/* As `sort` has them, so that a reader finds a row and a twin is seen. */
		if (i > 0 && strcmp(object->fields[i - 1].name, field->name) >= 0 &&
			strcmp(field->name, "targetContainerName") != 0)
			complain(object, field, "out of order");
		check_row(object, field);
		if (field->object)
			check_object(field->object, depth + 1);
	}
}

static void table_is_sound(void)
{
	check_object(&fields_pod, 0);
	expect(rows > 1000); /* with the parts that are met more than once */
	expect(fields_find(&fields_container, "image") && !fields_find(&fields_container, "Image"));
}

/* Law R2, told to the user: whatever is acted on, warned about or refused stands in the man page. */
static void table_is_printed(void)
{
	cleanup_free char *page = NULL;
	size_t n;
	FILE *out = open_memstream(&page, &n);

	manifest_print_fields(out);
	fclose(out);
	expect(strstr(page, ".Ss spec.containers[].securityContext.capabilities\n"));
	expect(strstr(page, ".It Va setHostnameAsFQDN\nboolean\n.br\nNot supported, with a warning: the "
			    "hostname has no domain.\n"));
	expect(strstr(page, ".It Va capabilities\n"));
	for (size_t i = 0; i < fields_container.n; i++) {
		cleanup_free char *row = xasprintf(".It Va %s\n", fields_container.fields[i].name);

		expect(strstr(page, row));
	}
}

int main(void)
{
	group(table_is_sound);
	group(table_is_printed);
	return unit_done();
}
