// Package limit has the bounds and the defaults that the inboxes of this module share.
// MemInbox of package webhook and package sqlinbox take them from here, so that a
// program which changes from one to the other finds the same lengths of names, windows
// and retentions. An inbox of another module may choose its own: package inboxtest has
// the laws that bind every inbox.
package limit
