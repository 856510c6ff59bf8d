package inspect_test

import "testing"

// What acts has one path and one method.
func TestActsHaveOnePathAndOneMethod(t *testing.T) {
	r := newSendRig(t)
	for _, tt := range []struct {
		method, page string
		status       int
		allow        string
	}{
		{"GET", "stop", 405, "POST"}, {"GET", "api/send", 405, "POST"}, {"HEAD", "api/replays/stop", 405, "POST"}, {"DELETE", "api/replays", 405, "GET, HEAD, POST"},
		{"PUT", "send", 405, "GET, HEAD, POST"}, {"PATCH", "select", 405, "GET, HEAD, POST"}, {"POST", "acts", 405, "GET, HEAD"},
		{"POST", "send/", 404, ""}, {"POST", "send/x", 404, ""}, {"POST", "SEND", 404, ""}, {"POST", "api/send%2f", 404, ""}, {"POST", "api%2Fsend", 400, ""}, {"POST", "replays%00", 404, ""}, {"POST", "api/replays/stop/", 404, ""},
	} {
		request := r.request(tt.method, tt.page, "{}")
		request.Header.Set("Content-Type", "application/json")
		w := r.serve(request)
		if w.Code != tt.status || w.Header().Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q: %s", tt.method, tt.page, w.Code, w.Header().Get("Allow"), tt.status, tt.allow, w.Body)
		}
	}
	if acts := r.acted(); len(acts) != 0 {
		t.Errorf("%+v", acts)
	}
}
