/* A JSONPath template, as of `get -o jsonpath=` and `--sort-by`, on an object as a pod is one. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "runner/verbs/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char pod[] =
	"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\",\"labels\":{\"a.b/c\":\"x\"}},"
	"\"spec\":{\"containers\":[{\"name\":\"a\",\"n\":1},{\"name\":\"b\",\"n\":-2.5,\"on\":true},"
	"{\"name\":null,\"list\":[[1,2],[],[{}]]}]},\"status\":{\"podIP\":\"10.0.0.2\"}}";

static void find(struct jsonpath *jsonpath, struct json_object *object)
{
	struct jsonpath_values values;
	struct error err;

	jsonpath_find(jsonpath, object, &values, &err);
	for (size_t i = 0; i < values.n; i++)
		free(jsonpath_text(values.items[i]));
	free(values.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct json_object *object = json_tokener_parse(pod);
	FILE *null = fopen("/dev/null", "we");
	struct jsonpath jsonpath;
	struct error err;

	if (jsonpath_parse(&jsonpath, text, &err) == 0)
		jsonpath_print(&jsonpath, object, null, &err);
	jsonpath_free(&jsonpath);
	if (jsonpath_parse_relaxed(&jsonpath, text, &err) == 0)
		find(&jsonpath, object);
	jsonpath_free(&jsonpath);
	json_object_put(object);
	fclose(null);
	return 0;
}
