// Package lines holds one service, written as its documentation asks with each
// library: deploy what is pushed to a branch of GitHub, refuse what is not
// genuine, bound the body, and end in order. Its test runs every one against the
// same calls and counts their lines for the README: what is declared in the file,
// without the imports, blank lines and comments.
//
// Two of them answer after the work is done and keep nothing, so that a failure
// or a crash loses the call. Two store first, answer, and work afterwards.
package lines
