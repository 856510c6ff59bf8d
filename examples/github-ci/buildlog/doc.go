// Package buildlog keeps the logs of builds as files, hides secrets in them, and serves
// them while they are written.
//
// [Logs] is the folder of the logs, and a [Log] one that is open for writing. Several runs
// of a build append to one log. What a build writes has a limit; the lines of the program
// itself, which [Log.Printf] writes, begin with "[github-ci] " and do not count. A line of
// a build that begins like that gets "| " before it.
//
// Secrets are replaced by "***", also one that arrives in several writes. A build that
// changes a secret before it writes it, such as to base64, shows it.
package buildlog
