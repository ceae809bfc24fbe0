/*
 * How far a load or a pull is: bars on a terminal, plain lines elsewhere.
 *
 * Bars are drawn over themselves: up by as many lines as they took, each line cleared to its end. A terminal that has become
 * narrower since has broken them, so what they take now is counted anew each time. No line is as wide as the terminal: what
 * stands in the last column would break, too. What doesn't fit is left out from the right: time left, rate, the bar.
 */
#include "runner/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"
#include "runner/image_text.h"

#define BAR_MAX   30
#define BAR_MIN   8
#define WIDTH_MAX 200

enum state {
	STATE_WAITS,
	STATE_FETCHING,
	STATE_FETCHED,
	STATE_UNPACKING,
	STATE_UNPACKED,
	STATE_STORED, /* it was there before */
};

struct progress_bar {
	char label[64];
	enum state state;
	uint64_t done, total; /* bytes; total 0: not known */
	struct timespec since; /* it is in this state */
	uint64_t from; /* what was done then */
	bool is_told; /* plain: it is over, and that has been said */
};

void progress_init(struct progress *progress, const char *name, bool wanted)
{
	*progress = (struct progress){
		.name = name, .is_quiet = !wanted, .is_plain = !wanted || !isatty(STDERR_FILENO)};
}

static void terminal_size(unsigned int *width, unsigned int *height)
{
	struct winsize size = {0};

	*width = 80;
	*height = 24;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_col > 0)
		*width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
	if (size.ws_row > 0)
		*height = size.ws_row;
}

/* Back to the first line of ours. In a terminal that is narrower now each may take several. */
static void rewind_lines(struct progress *progress, unsigned int width)
{
	size_t each = progress->width > width ? (progress->width + width - 1) / width : 1;

	if (progress->shown)
		fprintf(stderr, "\r\033[%zuA\033[J", progress->shown * each);
	progress->shown = 0;
	progress->width = width;
}

void progress_end(struct progress *progress)
{
	unsigned int width, height;

	if (progress->shown) {
		terminal_size(&width, &height);
		rewind_lines(progress, width);
		fflush(stderr);
	}
	free(progress->bars);
	progress->bars = NULL;
	progress->n = 0;
}

void progress_warn(void *data, const char *line)
{
	struct progress *progress = data;
	cleanup_free char *safe = NULL;
	unsigned int width, height;

	if (progress->is_quiet)
		return;
	if (progress->shown) {
		terminal_size(&width, &height);
		rewind_lines(progress, width);
	}
	safe = text_printable(line, strlen(line));
	fprintf(stderr, "minirun: warning: %s\n", safe);
}

static double seconds_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

/* ---- from what is reported to bars ---- */

static void make_bars(struct progress *progress, const struct load_progress *now)
{
	size_t n = now->n_fetches ? now->n_fetches : now->layers ? now->layers : 1;

	if (progress->n == n)
		return;
	free(progress->bars);
	progress->bars = xcalloc(n, sizeof(*progress->bars));
	progress->n = n;
	for (size_t i = 0; i < n; i++) {
		struct progress_bar *bar = &progress->bars[i];

		clock_gettime(CLOCK_MONOTONIC, &bar->since);
		if (now->n_fetches)
			snprintf(bar->label, sizeof(bar->label), "%.12s",
				now->fetches[i].digest + strlen("sha256:"));
		else if (now->layers)
			snprintf(bar->label, sizeof(bar->label), "layer %zu/%zu", i + 1, n);
	}
}

static void set(struct progress_bar *bar, enum state state, uint64_t done, uint64_t total)
{
	if (bar->state != state) {
		clock_gettime(CLOCK_MONOTONIC, &bar->since);
		bar->from = done;
	}
	bar->state = state;
	bar->done = done;
	bar->total = total;
}

static void set_layer(struct progress_bar *bar, const struct load_progress *now, size_t index)
{
	const struct fetch_progress *fetch = now->n_fetches ? &now->fetches[index] : NULL;
	uint64_t size = fetch ? fetch->size : bar->total;

	if (fetch && fetch->is_stored)
		set(bar, STATE_STORED, size, size);
	else if (index + 1 < now->layer)
		set(bar, STATE_UNPACKED, size, size);
	else if (index + 1 == now->layer && now->layer_read > 0)
		set(bar,
			now->layer_total && now->layer_read >= now->layer_total ? STATE_UNPACKED
										: STATE_UNPACKING,
			now->layer_read, now->layer_total);
	else if (fetch)
		set(bar,
			fetch->fetched >= size ? STATE_FETCHED
			: fetch->fetched       ? STATE_FETCHING
					       : STATE_WAITS,
			fetch->fetched, size);
	else
		set(bar, STATE_WAITS, 0, 0);
}

static void update(struct progress *progress, const struct load_progress *now)
{
	make_bars(progress, now);
	if (now->n_fetches || now->layers)
		for (size_t i = 0; i < progress->n; i++)
			set_layer(&progress->bars[i], now, i);
	else
		set(&progress->bars[0], STATE_UNPACKING, now->read, now->total);
}

/* ---- drawing ---- */

static const char *const words[] = {
	[STATE_WAITS] = "waits",
	[STATE_FETCHING] = "fetching",
	[STATE_FETCHED] = "fetched",
	[STATE_UNPACKING] = "unpacking",
	[STATE_UNPACKED] = "unpacked",
	[STATE_STORED] = "stored already",
};

/* "12.3 MiB of 45.6 MiB" */
static void amount(const struct progress_bar *bar, char *buffer, size_t size)
{
	char done[32], total[32];

	text_size(bar->done, done, sizeof(done));
	if (bar->state == STATE_FETCHING || bar->state == STATE_UNPACKING)
		snprintf(buffer, size, "%s%s%s", done, bar->total ? " of " : "",
			bar->total ? text_size(bar->total, total, sizeof(total)) : "");
	else
		snprintf(buffer, size, "%s", bar->total ? text_size(bar->total, total, sizeof(total)) : "");
}

/* "3.2 MiB/s" and "10 s left", of what moves. */
static void pace(const struct progress_bar *bar, char *rate, char *left, size_t size)
{
	double seconds = seconds_since(&bar->since);
	double speed = seconds > 0 && bar->done > bar->from ? (double)(bar->done - bar->from) / seconds : 0;
	char each[32];

	rate[0] = left[0] = '\0';
	if ((bar->state != STATE_FETCHING && bar->state != STATE_UNPACKING) || speed < 1)
		return;
	snprintf(rate, size, "%s/s", text_size((uint64_t)speed, each, sizeof(each)));
	if (bar->total > bar->done) {
		double rest = (double)(bar->total - bar->done) / speed;

		if (rest < 120)
			snprintf(left, size, "%.0f s left", rest);
		else if (rest < 7200)
			snprintf(left, size, "%.0f min left", rest / 60);
		else
			snprintf(left, size, "%.0f h left", rest / 3600);
	}
}

/* Appends what still fits; columns and bytes are the same here. */
static bool add(char *line, size_t width, const char *text)
{
	size_t used = strlen(line);

	if (!*text || used + strlen(text) + 2 >= width)
		return false;
	sprintf(line + used, "%s%s", used ? "  " : "", text);
	return true;
}

static void draw_meter(const struct progress_bar *bar, size_t columns, char *meter)
{
	size_t inside = columns - 2;
	size_t filled = bar->total ? (size_t)((double)inside * (double)bar->done / (double)bar->total) : 0;

	if (filled > inside)
		filled = inside;
	meter[0] = '[';
	memset(meter + 1, '=', filled);
	memset(meter + 1 + filled, ' ', inside - filled);
	meter[inside + 1] = ']';
	meter[inside + 2] = '\0';
}

/* One line of at most width columns, its parts as important as they stand here; the bar stands where the eye expects it. */
static void draw(const struct progress_bar *bar, const char *label, unsigned int width, char *line)
{
	char bytes[80], rate[48], left[48], state[32];
	size_t spare;

	line[0] = '\0';
	amount(bar, bytes, sizeof(bytes));
	pace(bar, rate, left, sizeof(rate));
	add(line, width, label);
	snprintf(state, sizeof(state), "%-9s", words[bar->state]);
	add(line, width, state);
	spare = width > strlen(line) + strlen(bytes) + 4 ? width - strlen(line) - strlen(bytes) - 5 : 0;
	/* Room for rate and time comes before a bar that is longer than it needs to be. */
	if (spare > BAR_MIN + 24)
		spare -= 24;
	if (bar->total && bar->state != STATE_STORED && spare >= BAR_MIN) {
		char meter[BAR_MAX + 3];

		draw_meter(bar, spare < BAR_MAX ? spare : BAR_MAX, meter);
		add(line, width, meter);
	}
	if (!add(line, width, bytes)) {
		if (bar->total && bar->state != STATE_STORED)
			snprintf(bytes, sizeof(bytes), "%u%%",
				(unsigned int)(100.0 * (double)bar->done / (double)bar->total));
		add(line, width, bytes);
		return;
	}
	if (add(line, width, rate))
		add(line, width, left);
}

/* More layers than lines: those around the first that isn't done. */
static size_t first_shown(const struct progress *progress, size_t room)
{
	size_t first = 0;

	if (progress->n <= room)
		return 0;
	while (first < progress->n && progress->bars[first].state >= STATE_UNPACKED)
		first++;
	first = first > 0 ? first - 1 : 0;
	return first + room > progress->n ? progress->n - room : first;
}

static void draw_all(struct progress *progress)
{
	unsigned int width, height;
	size_t room, first;
	char line[WIDTH_MAX + 1];

	terminal_size(&width, &height);
	rewind_lines(progress, width);
	room = height > 2 ? height - 2 : 1;
	first = first_shown(progress, room);
	for (size_t i = first; i < progress->n && i < first + room; i++) {
		const struct progress_bar *bar = &progress->bars[i];

		draw(bar, *bar->label ? bar->label : progress->name, width, line);
		fprintf(stderr, "%s\033[K\n", line);
		progress->shown++;
	}
	fflush(stderr);
}

/* One line for each layer that is over. */
static void tell_plainly(struct progress *progress)
{
	for (size_t i = 0; i < progress->n; i++) {
		struct progress_bar *bar = &progress->bars[i];
		char size[32];

		if (bar->is_told || bar->state < STATE_UNPACKED || !*bar->label)
			continue;
		bar->is_told = true;
		fprintf(stderr, "%s  %s  %s%s%s\n", progress->name, bar->label, words[bar->state],
			bar->total ? ", " : "", bar->total ? text_size(bar->total, size, sizeof(size)) : "");
	}
}

void progress_show(void *data, const struct load_progress *now)
{
	struct progress *progress = data;

	if (progress->is_quiet)
		return;
	update(progress, now);
	if (progress->is_plain)
		tell_plainly(progress);
	else
		draw_all(progress);
}
