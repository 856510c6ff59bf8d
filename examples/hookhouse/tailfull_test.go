package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTailOfAServiceWithoutALiveList: it has viewers enough, say. Then the list is read from
// time to time.
func TestTailOfAServiceWithoutALiveList(t *testing.T) {
	r := newRig(t)
	_, in := r.inspector(t)
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", in)
	mux.HandleFunc("/debug/hooks/api/live", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"error":"too many viewers have a live list open"}`))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	first := r.put(t, "github.push", "a")
	f, notes := running(t, opsEnv, "tail", "-json", "-url", server.URL+"/debug/hooks/")
	f.expect(t, event{first, "waiting"})
	next := r.put(t, "jobserv.build", "b")
	f.expect(t, event{next, "waiting"})
	eventually(t, "it is noted", func() bool { return notes.String() != "" })
}
