// Package jobs runs commands that may be hostile, and ends each of them with everything
// that it has started.
//
// A [Dir] is a folder that one process at a time uses. [Dir.Run] runs a [Command] in it, as
// this program's own user or as one of [Users], under a supervisor: a second process of
// this program, which is why main must begin with [Supervise]. An [Area] is a folder below
// the Dir for the files of one job.
//
// # What it promises
//
// On Linux, for a command that runs as another user:
//
//   - Run returns when no process of the command is left. This includes those that have
//     left the process group or the session, orphans, those that /proc hides, and those
//     that fork all the time: all processes of the user are killed in one step.
//   - No process of the command can kill the supervisor or this program, read their memory
//     and environment, or read the files of the Dir and of other Areas.
//   - The processes have no capabilities, and set-user-ID programs such as sudo give them
//     none.
//   - A user runs one command at a time, so the commands of two jobs cannot reach each
//     other's files or processes.
//   - If this program is killed, the supervisor kills the command. [Open] waits for that, so
//     after Open no process of an earlier command is left.
//   - [Area.Remove] removes what the command has made, whatever its owner and mode.
//
// # What it does not promise
//
//   - A command that runs as this program's own user (no Users) can read what this program
//     can read, kill it, and fork faster than the supervisor finds its processes.
//   - Commands share the network, /tmp, the CPU and the memory. A limit on them is the task
//     of systemd or of the container.
//   - What a daemon such as Docker starts for a command belongs to the daemon and is not
//     killed.
//   - Root is not a user for commands, and a user that something else uses is not either:
//     its processes are killed.
//   - On other systems than Linux there are no other users, and only the process group of
//     the command is killed.
//
// Another user needs CAP_CHOWN, CAP_KILL, CAP_SETGID and CAP_SETUID, or root.
package jobs
