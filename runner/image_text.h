/* Images of the store as people and tools get to see them. */
#ifndef RUNNER_IMAGE_TEXT_H
#define RUNNER_IMAGE_TEXT_H

#include <json-c/json.h>
#include <stdio.h>

#include "images/images.h"

/* 6421 as "6,421". Returns buffer. */
const char *image_grouped(uint64_t n, char *buffer, size_t size);

/* As -o json shows it. */
struct json_object *image_to_json(const struct image *image);
/* The same with all that the image says of itself. */
struct json_object *image_details_to_json(const struct image *image);

/* `image ls`. */
void image_print_table(const struct image *images, size_t n, FILE *out);
/* `image inspect`. */
void image_print_details(const struct image *image, FILE *out);
/* The one line of a load or a pull. */
void image_print_line(const struct image *image, FILE *out);

/* Prints one document and takes it. */
void image_print_json(struct json_object *json);

#endif
