// Package registry asks the registry of the images: for the digest of a tag, and for the
// versions of a repository.
//
// The registry is trusted, while the webhook is only a hint. Each question ends within 30
// seconds and is asked once: whoever asks decides when to ask again, by what a
// [target.Unavailable] says. Answers are bounded.
package registry
