package target

import (
	"context"
	"errors"
)

// A Target runs an image. One method call of a Target runs at a time.
type Target interface {
	// Identity returns what a target that runs the digest is compared by: the digest, and
	// a hash of the options if there are any. It returns ErrRefused if they are invalid.
	Identity(digest string) (string, error)
	// Recover cleans up after a deployment that was killed or failed: it completes the
	// deployment or restores the state before it. It does nothing if there is nothing to
	// clean up. It may be interrupted and called again. If failed is true, it only
	// restores.
	Recover(ctx context.Context, failed bool) error
	// Replace makes the target run the image and reports whether it changed the target.
	// If it fails with another error than ErrUnfinished, the target is unchanged or
	// Recover restores it.
	Replace(ctx context.Context, image Image) (changed bool, err error)
}

// An Image is what a Target is to run.
type Image struct {
	Name     string // for docker pull: host, repository, tag and digest
	Digest   string
	Tag      string
	Rule     string
	Identity string
	Deployed string   // identity of what was deployed last, if it was recorded
	Env      []string // for a Program
	// Older reports whether Tag is older than the tag that runs.
	Older func(running string) bool
}

var (
	// ErrRejected means that the image was started and is not healthy. A retry would
	// only disturb the target again.
	ErrRejected = errors.New("image does not run")
	// ErrRefused means that the target cannot be deployed as it is declared. Nothing was
	// touched.
	ErrRefused = errors.New("refused")
	// ErrStart means that the image could not be started.
	ErrStart = errors.New("start failed")
	// ErrUnfinished means that the image runs, and that Recover is to do the rest.
	ErrUnfinished = errors.New("deployed, but not finished")
	// ErrNewerRunning means that the target runs a newer version.
	ErrNewerRunning = errors.New("target runs a newer version")
)
