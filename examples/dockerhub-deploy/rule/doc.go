// Package rule has the rules of the program: which tags of a repository are deployed, to
// which target, and which of two releases wins.
//
// A rule is configuration, and is trusted. A tag comes from a webhook or from the registry,
// and may be any text.
package rule
