package jobserv

import (
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook/wire"
)

// dedupKeys returns the dedup keys of a build beside its signature: the project and the
// number in its URL, and when it was completed. JobServ's call of a build and what its API
// says of it have the same key, and a rerun has another one. The host of the URL is no part
// of it: it is the one by which a worker, or the caller of the API, calls the server. The
// result is empty and not nil if the body lacks one of the three.
func (s summary) dedupKeys() []string {
	var at wire.Time
	if s.completed == nil || at.UnmarshalJSON(s.completed) != nil || !at.Valid() {
		return []string{}
	}
	project, text := buildIn(s.url)
	id, err := strconv.ParseInt(text, 10, 64)
	if project == "" || err != nil || id <= 0 {
		return []string{}
	}
	return []string{"build:" + project + "/" + strconv.FormatInt(id, 10) + " " + at.UTC().Format(time.RFC3339Nano)}
}
