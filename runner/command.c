/* The tables of commands and options, and the help that is printed from them. invocation.c parses by them. */
#include "runner/command.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "base/text.h"

const struct option_spec option_specs[OPTION_COUNT] = {
	[OPTION_STORE] = {"store", 0, "DIR", "run apply create learn explain lint image check",
		"where images are kept (default /var/lib/minirun, a user's $XDG_DATA_HOME/minirun; "
		"$MINIRUN_STORE)"},
	[OPTION_ROOT] = {"root", 0, "DIR",
		"run apply create learn get describe logs exec cp attach port-forward wait delete top",
		"where running pods are kept (default /run/minirun, a user's $XDG_RUNTIME_DIR/minirun; "
		"$MINIRUN_ROOT)"},
	[OPTION_OUTPUT] = {"output", 'o', "FORMAT", "run learn get delete top explain lint image check",
		"json: one event a line for run and learn, else one document; get: also wide, yaml, name, "
		"jsonpath=TEMPLATE or custom-columns=TITLE:PATH,...; delete: name"},
	[OPTION_NAMESPACE] = {"namespace", 'n', "NAME",
		"run apply create get describe logs exec cp attach port-forward wait delete top",
		"the pod's namespace (default: default)"},
	[OPTION_ALL_NAMESPACES] = {"all-namespaces", 'A', NULL, "get describe wait delete top",
		"pods of all namespaces"},
	[OPTION_COLOR] = {"color", 0, "WHEN", "run learn check",
		"auto (the default: on a terminal), always or never"},
	[OPTION_QUIET] = {"quiet", 'q', NULL, "run apply create learn image attach",
		"only what the containers print, and errors"},
	[OPTION_VERBOSE] = {"verbose", 'v', NULL, "check", "why it matters, also for what is ok"},
	[OPTION_DETACH] = {"detach", 'd', NULL, "run",
		"in the background: `minirun get`, `logs` and the like look at it"},
	[OPTION_ONCE] = {"once", 0, NULL, "run", "as if restartPolicy were Never"},
	[OPTION_TIME_SCALE] = {"time-scale", 0, "N", "run apply create", NULL},
	[OPTION_SECCOMP_PROFILE_ROOT] = {"seccomp-profile-root", 0, "DIR", "run apply create explain lint",
		"where Localhost profiles are looked for first; then beside the manifest, then in "
		"/var/lib/kubelet/seccomp"},
	[OPTION_NO_DENIALS] = {"no-denials", 0, NULL, "run apply create",
		"don't name the system calls that seccomp refuses (the kernel answers them alone), nor "
		"devices"},
	[OPTION_WRITE] = {"write", 0, "FILE", "learn",
		"the file of the profile, which is replaced (default: standard output, and what the pod "
		"prints goes to standard error)"},
	[OPTION_WRITE_DIR] = {"write-dir", 0, "DIR", "learn",
		"the folder of one profile for each container, DIR/CONTAINER.json"},
	[OPTION_BASE] = {"base", 0, "PROFILE", "learn",
		"a profile of which all is kept, and to which is added what it lacks"},
	[OPTION_DENY] = {"deny", 0, "NAME,...", "learn",
		"system calls to leave out; refused while recording too. May be given more than once"},
	[OPTION_NO_LIMITS] = {"no-limits", 0, NULL, "run apply create learn",
		"leave resources.limits and requests aside"},
	[OPTION_PIDS_LIMIT] = {"pids-limit", 0, "N", "run apply create learn explain",
		"how many processes and threads the pod may have (default 4096 where cgroup v2 counts them; "
		"0: "
		"no limit)"},
	[OPTION_CONTAINER] = {"container", 'c', "NAME", "exec attach logs cp",
		"the container (default: the pod's first)"},
	[OPTION_ALL_CONTAINERS] = {"all-containers", 0, NULL, "logs", "those of all containers"},
	[OPTION_CONTAINERS] = {"containers", 0, NULL, "top", "a line for each container"},
	[OPTION_FOLLOW] = {"follow", 'f', NULL, "logs", "go on until the container ends"},
	[OPTION_PREVIOUS] = {"previous", 'p', NULL, "logs", "of the run before the last restart"},
	[OPTION_TAIL] = {"tail", 0, "N", "logs", "the last N lines (default: all; with -l: 10)"},
	[OPTION_SINCE] = {"since", 0, "DURATION", "logs", "what is newer than that: 30s, 5m, 2h"},
	[OPTION_SINCE_TIME] = {"since-time", 0, "TIME", "logs",
		"what is newer than that: 2026-11-24T12:00:00Z"},
	[OPTION_PREFIX] = {"prefix", 0, NULL, "logs", "each line with the names of its pod and container"},
	[OPTION_MAX_LOG_REQUESTS] = {"max-log-requests", 0, "N", "logs",
		"with -f: how many containers at once (default 5)"},
	[OPTION_TIMESTAMPS] = {"timestamps", 0, NULL, "logs", "each line with its time"},
	[OPTION_WATCH] = {"watch", 'w', NULL, "get", "go on, with a line for each change"},
	[OPTION_NO_HEADERS] = {"no-headers", 0, NULL, "get", "the rows alone"},
	[OPTION_SHOW_LABELS] = {"show-labels", 0, NULL, "get", "all labels, as the last column"},
	[OPTION_LABEL_COLUMNS] = {"label-columns", 'L', "KEY,...", "get",
		"a column for each of these labels. May be given more than once"},
	[OPTION_SORT_BY] = {"sort-by", 0, "PATH", "get",
		"in the order of a field: .metadata.creationTimestamp"},
	[OPTION_SELECTOR] = {"selector", 'l', "LABELS", "get top describe logs wait delete",
		"pods with these labels: app=web,tier!=db, 'env in (a,b)'"},
	[OPTION_FILENAME] = {"filename", 'f', "FILE", "apply create get describe wait delete",
		"the manifest, or that of the pod that is meant; - is standard input"},
	[OPTION_IGNORE_NOT_FOUND] = {"ignore-not-found", 0, NULL, "get delete",
		"that a pod isn't there is no failure"},
	[OPTION_FOR] = {"for", 0, "WHAT", "learn wait",
		"learn: end the pod after this time: 10s, 2m, 1h30m; wait: condition=Ready, delete, create, "
		"or "
		"jsonpath={.status.phase}=Running"},
	[OPTION_TIMEOUT] = {"timeout", 0, "DURATION", "wait", "how long (default 30s)"},
	[OPTION_GRACE_PERIOD] = {"grace-period", 0, "SECONDS", "delete",
		"from the stop signal to SIGKILL (default: the pod's own)"},
	[OPTION_FORCE] = {"force", 0, NULL, "delete", "kill it at once"},
	[OPTION_NOW] = {"now", 0, NULL, "delete", "a grace period of 1 second"},
	[OPTION_WAIT] = {"wait", 0, NULL, "delete", "until it is gone (the default; --wait=false: don't)"},
	[OPTION_APPARMOR] = {"apparmor", 0, NULL, "learn",
		"learn an AppArmor profile, not a seccomp profile; as root"},
	[OPTION_STDIN] = {"stdin", 'i', NULL, "exec attach",
		"pass standard input to the command, or to the container"},
	[OPTION_TTY] = {"tty", 't', NULL, "exec attach",
		"with -i, on a terminal: exec: the command gets one of its own; attach: the container has "
		"one"},
	[OPTION_ADDRESS] = {"address", 0, "ADDRESS,...", "port-forward",
		"where to listen: addresses of this machine, or localhost (the default: 127.0.0.1 and ::1)"},
	[OPTION_NO_PRESERVE] = {"no-preserve", 0, NULL, "cp",
		"give what is copied into a container usual modes"},
	[OPTION_CONFIG] = {"config", 0, "FILE", "image",
		"load: an OCI image configuration that says what the image runs"},
	[OPTION_MAX_BYTES] = {"max-bytes", 0, "SIZE", "image",
		"load, pull: refuse more content than this (default 16Gi)"},
	[OPTION_MAX_ENTRIES] = {"max-entries", 0, "N", "image",
		"load, pull: refuse more entries than this (default 2000000)"},
	[OPTION_MAX_RATIO] = {"max-ratio", 0, "N", "image",
		"load, pull: refuse an archive that expands more than N times (default 200)"},
	[OPTION_MAX_MEMORY] = {"max-memory", 0, "SIZE", "image",
		"load, pull: refuse an archive whose decompressor needs more memory than this (default "
		"256Mi)"},
	[OPTION_AUTHFILE] = {"authfile", 0, "FILE", "run apply create learn image",
		"pull: skopeo's file of credentials (default: where `skopeo login` writes)"},
	[OPTION_CERT_DIR] = {"cert-dir", 0, "DIR", "run apply create learn image",
		"pull: certificates for the registry (default: /etc/containers/certs.d/HOST)"},
	[OPTION_TLS_VERIFY] = {"tls-verify", 0, "BOOL", "run apply create learn image",
		"pull: false takes a registry without TLS, or with a certificate that nobody vouches for"},
	[OPTION_ALL] = {"all", 'a', NULL, "image wait delete",
		"all pods; prune: images that no running pod uses, too"},
	[OPTION_FIELDS] = {"fields", 0, NULL, "help",
		"print the table of a manifest's fields, as man page source"},
	[OPTION_HELP] = {"help", 'h', NULL, NULL, "print this help"},
	[OPTION_VERSION] = {"version", 0, NULL, NULL, "print the version"},
};

const struct command commands[] = {
	{"run", "[OPTIONS] FILE|-", "run a pod in the foreground; `run` may be left out",
		"FILE is a Kubernetes Pod manifest, JSON or YAML; - is standard input. The init containers "
		"run one\n"
		"after another, then the main containers together. What they print is shown with the "
		"container's\n"
		"name before it. Ctrl-C and SIGTERM end the pod: SIGTERM, its grace period, SIGKILL; a "
		"second Ctrl-C\n"
		"skips the wait. The first main container with stdin: true has our standard input; if it has "
		"tty: true and\n"
		"we have a terminal as well, that is the container's for as long as it runs, Ctrl-C "
		"included.\n\n"
		"The exit status is that of the first container that failed (128+n for signal n), 0 if none "
		"did; 125\n"
		"if minirun itself failed, 126 if a program could not be run, 127 if it was not found.\n",
		PRIVILEGE_SEALED, cmd_run},
	{"apply", "[OPTIONS] -f FILE|-", "run a pod in the background, unless it runs already",
		"As `run -d`, in kubectl's words: pod/NAME created. A pod that is there already is left "
		"alone: "
		"unchanged if\nFILE says what it was made from, else an error, since a pod can't be changed. "
		"One "
		"whose supervisor was\nkilled is made anew.\n",
		PRIVILEGE_SEALED, cmd_apply},
	{"create", "[OPTIONS] -f FILE|-", "run a pod in the background; an error if it is there already",
		NULL, PRIVILEGE_SEALED, cmd_apply},
	{"get", "[OPTIONS] [pods] [NAME...]", "list pods",
		"kubectl's table. A pod is called NAME, pod/NAME or pod NAME. One whose supervisor was "
		"killed "
		"is\nshown as ContainerStatusUnknown until it is deleted, or another pod is started.\n",
		PRIVILEGE_NONE, cmd_get},
	{"describe", "[OPTIONS] [pods] [NAME...]", "show pods in full: states, events, what was refused",
		NULL, PRIVILEGE_NONE, cmd_describe},
	{"logs", "[OPTIONS] NAME [CONTAINER]|-l LABELS",
		"print what a container of a pod in the background has printed", NULL, PRIVILEGE_NONE,
		cmd_logs},
	{"wait", "[OPTIONS] NAME...|-l LABELS|-f FILE|--all --for=WHAT",
		"wait until a pod is as it should be", NULL, PRIVILEGE_NONE, cmd_wait},
	{"delete", "[OPTIONS] NAME...|-l LABELS|-f FILE|--all", "end a pod, and remove what is left of it",
		"The containers get their stop signals, and SIGKILL after the grace period. The command "
		"returns "
		"when\nthe pod is gone. A pod whose supervisor was killed is cleared away.\n",
		PRIVILEGE_ROOT, cmd_delete},
	{"exec", "[OPTIONS] NAME [-c CONTAINER] -- COMMAND [ARG...]",
		"run a command in a container of a running pod",
		"The command runs in the container's namespaces under the container's user, capabilities and "
		"locks.\n"
		"Its standard output and error are those of `minirun exec`, with -i its standard input too, "
		"and so is its\n"
		"exit status. With -it it gets a terminal of its own, to which yours passes all keys.\n"
		"If `minirun exec` ends before it, it is killed.\n",
		PRIVILEGE_NONE, cmd_exec},
	{"port-forward", "[OPTIONS] NAME [LOCAL:]REMOTE...", "forward local ports to a running pod",
		"What comes to a local port goes to the pod's localhost, by IPv4 or, where nobody listens "
		"there, IPv6;\n"
		"a pod needs no network for it. REMOTE is a number or a port's name; without LOCAL it is the "
		"local port\n"
		"too, and :REMOTE takes one that is free. It goes on until Ctrl-C or until the pod ends, and "
		"over\n"
		"restarts of containers; that nobody listens in the pod is told, and ends only that "
		"connection.\n",
		PRIVILEGE_NONE, cmd_port_forward},
	{"cp", "[OPTIONS] FILE POD:PATH | POD:PATH FILE",
		"copy files and folders into a running container, or out of one",
		"As kubectl: a folder with all that is in it; what is copied into a folder that is there "
		"goes "
		"below it,\n"
		"but a folder that is copied out becomes the folder FILE. In the container it is done with "
		"the rights of\n"
		"its user, and needs no program there. Out of it come files and folders alone: links are "
		"skipped with a\n"
		"warning, and none here is followed. [NAMESPACE/]POD:PATH is taken, too.\n",
		PRIVILEGE_NONE, cmd_cp},
	{"attach", "[OPTIONS] NAME [-c CONTAINER]",
		"show what a running container prints from now on, and with -i type to it",
		"-i reaches a container whose manifest has stdin: true; -it is for one with tty: true as "
		"well. "
		"Several may\n"
		"attach at once. The end of `minirun attach` ends nothing but itself, unless the container "
		"has "
		"stdinOnce.\n"
		"The exit status is 0 when the container has ended, however it did.\n",
		PRIVILEGE_NONE, cmd_attach},
	{"top", "[OPTIONS] [pods] [NAME...]", "show what running pods use, against their limits",
		"kubectl's columns, and behind them the limits and how much of each is used. Processor time "
		"is\nmeasured for a second, in thousandths of a processor; memory is what can't be had back "
		"at "
		"once.\nWhat no cgroup counts is taken from /proc.\n",
		PRIVILEGE_NONE, cmd_top},
	{"explain", "[OPTIONS] FILE|-", "print what running a pod would do, and run nothing",
		"The plan, in the order of the pod's life: for each container its image, process, user, "
		"namespaces,\n"
		"mounts and locks, and beside a seccomp profile what `minirun lint` says of it. Errors and "
		"warnings\n"
		"are those of a run; nothing is made on disk.\n\n"
		"The exit status is 0 if the pod could be run, else 125.\n",
		PRIVILEGE_ROOT, cmd_explain},
	{"lint", "[OPTIONS] FILE...", "judge profiles, or a pod and the profiles that it names",
		"FILE is a seccomp profile, one of AppArmor's or a manifest; which is told by its content. A "
		"manifest's "
		"profiles\n"
		"are looked for as in a run, and judged for the capabilities of its containers and, where "
		"the "
		"image is\n"
		"in the store, for what loads their programs: glibc's loader, musl's or none.\n\n"
		"Each finding is a line, FILE:LINE:COLUMN: error|warning: what is wrong (how to mend it) "
		"[CODE].\n"
		"minirun(1) lists the codes. The exit status is 1 if one of them is an error, else 0; 125 if "
		"a file\n"
		"can't be read.\n",
		PRIVILEGE_NONE, cmd_lint},
	{"learn", "[OPTIONS] FILE|-", "run a pod, and write the seccomp or AppArmor profile that lets it run",
		"Runs the pod under a filter that lets every call through and records it, and writes the "
		"profile that\n"
		"allows what was seen: of all containers, their processes and threads, and of what `minirun "
		"exec` starts\n"
		"in them, from execve on. It is no boundary: a profile that the manifest names is not "
		"applied. The same\n"
		"pod runs under the new profile without a denial, as long as it does the same.\n\n"
		"Each container runs once. A pod that doesn't end is ended by Ctrl-C or --for; that is no "
		"failure. If the\n"
		"pod fails, what was seen is written all the same, and the exit status is the pod's.\n\n"
		"With --apparmor the pod runs under an AppArmor profile in complain mode, and an AppArmor "
		"profile "
		"is\n"
		"written; the seccomp profile counts as ever.\n",
		PRIVILEGE_SEALED, cmd_learn},
	{"image", "load ARCHIVE|DIR|- [NAME] | pull NAME... | ls | inspect NAME... | rm NAME... | prune [-a]",
		"keep images: load, pull, list, look at, remove",
		"load     stores an image from an OCI layout, a docker-archive (docker save) or a rootfs, "
		"each "
		"an archive\n"
		"         or a folder, as NAME, the name that a pod's `image:` gives\n"
		"pull     fetches images from their registries, by skopeo\n"
		"ls       lists what is stored\n"
		"inspect  says all of an image, by its name, its digest or the beginning of that\n"
		"rm       removes images that no running pod uses, by name or digest\n"
		"prune    removes layers that no image has; with --all all images that no running pod uses\n",
		PRIVILEGE_ROOT, cmd_image},
	{"check", "[OPTIONS]", "what this machine can do, and how to mend what it can't",
		"Tries what a pod needs, each in a process of its own, and leaves nothing behind: a line "
		"each "
		"with ok,\n"
		"limited or missing, and where it isn't ok why it matters and what mends it. The last line "
		"is a whole\n"
		"pod. A run that fails for such a reason prints the same line.\n\n"
		"The exit status is 0 if the demo would run here, else 1.\n",
		PRIVILEGE_NONE, cmd_check},
	{"unshare", "[-- COMMAND [ARG...]]",
		"run a command as root of the user namespace that your pods have",
		"For what pods leave in folders of yours as other ids than their root's: those are of your "
		"range "
		"in\n/etc/subuid, and only root of that namespace can remove them or give them to you:\n\n"
		"    minirun unshare -- rm -r DIR\n    minirun unshare -- chown -R 0:0 DIR\n\n"
		"In it you are 0. Without a command it is your shell. Root has no such namespace: the "
		"command is "
		"just\nrun. The exit status is the command's; 126 and 127 as with run.\n",
		PRIVILEGE_ROOT, cmd_unshare},
	{"apparmor", "load [FILE...] | ls | unload NAME...",
		"AppArmor profiles in the kernel: load, list, unload",
		"load    loads the profiles of each FILE by apparmor_parser, replacing those of the same "
		"name; "
		"without a\n"
		"        FILE minirun-default, which is what RuntimeDefault stands for\n"
		"ls      lists what is loaded, and in which mode\n"
		"unload  takes profiles out of the kernel; processes under them become unconfined\n\n"
		"Loading and unloading need root.\n",
		PRIVILEGE_NONE, cmd_apparmor},
	{"help", "[COMMAND]", "explain a command", NULL, PRIVILEGE_NONE, cmd_help},
};
const size_t n_commands = array_length(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < n_commands; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int command_failure(const struct command *command)
{
	return command && text_has_word(
				  "apply create get describe logs attach wait delete top port-forward cp",
				  command->name)
		       ? 1
		       : 125;
}

bool command_takes(const struct command *command, enum option_id id)
{
	return !option_specs[id].commands || text_has_word(option_specs[id].commands, command->name);
}

static void print_option(const struct option_spec *option, FILE *out)
{
	char left[64];

	if (option->letter)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", option->letter, option->name,
			option->argument ? " " : "", option->argument ? option->argument : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", option->name, option->argument ? " " : "",
			option->argument ? option->argument : "");
	fprintf(out, "  %-30s %s\n", left, option->help);
}

void help_command(const struct command *command, FILE *out)
{
	fprintf(out, "Usage: minirun %s %s\n\n%s\n", command->name, command->synopsis, command->summary);
	if (command->details)
		fprintf(out, "\n%s", command->details);
	fprintf(out, "\nOptions:\n");
	for (int id = 0; id < OPTION_COUNT; id++)
		if (option_specs[id].help && command_takes(command, (enum option_id)id))
			print_option(&option_specs[id], out);
}

void help_overview(FILE *out)
{
	fprintf(out, "Usage: minirun [OPTIONS] FILE      run the Pod in FILE\n"
		     "       minirun COMMAND ...\n\nCommands:\n");
	for (size_t i = 0; i < n_commands; i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n`minirun help COMMAND` says more; so do minirun(1) and minirun-pod(5).\n");
}
