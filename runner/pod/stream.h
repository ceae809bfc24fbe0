/* One output stream of a container: from a pipe, by lines, to the report or to the container's log. */
#ifndef RUNNER_STREAM_H
#define RUNNER_STREAM_H

#include "runner/pod/logfile.h"
#include "runner/pod/loop.h"
#include "runner/report.h"

#define STREAM_BUFFER 65536 /* bytes of one read; as much as a pipe holds */
#define STREAM_PIECE  16384 /* bytes; a longer line is passed on in pieces, as containerd does */

#define STREAM_TAIL 2048 /* bytes: the kubelet's MaxContainerTerminationMessageLogLength */

struct stream {
	struct watch watch;
	struct loop *loop;
	struct report *report;
	struct logfile *log; /* of the container; with a log nothing is reported */
	char *tail; /* the last STREAM_TAIL bytes, shared by the container's streams, or NULL: not kept */
	const char *container;
	unsigned int index;
	int number; /* 1 or 2 */
	char *buffer;
	size_t used;
	bool terminal; /* it comes from the container's terminal */
	bool hidden; /* somebody else shows it */
	bool held; /* readers are behind: it isn't read */
	bool (*wanted)(void *data); /* whether its output may be shown yet */
	void (*passed)(
		void *data, int number, const char *text, size_t size); /* each piece, as it was read */
	void (*ended)(void *data);
	void *data;
};

/* Makes the pipe and watches its end; *write_end is the program's. ended(data) is called at the end of the stream. */
int stream_open(struct stream *stream, int *write_end, struct error *err);

/*
 * The same with a terminal's end, which becomes the stream's. Some other process, we ourselves, has to have the program's end
 * open: so this stream is never at its end before stream_finish.
 */
int stream_adopt(struct stream *stream, int terminal, struct error *err);

/* Doesn't read, or goes on. */
void stream_hold(struct stream *stream, bool hold);

/* Passes on what is there without waiting for more, and closes. Does not call ended. */
void stream_finish(struct stream *stream);

bool stream_is_open(const struct stream *stream);

#endif
