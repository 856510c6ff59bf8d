package inspect_test

import "testing"

// A form of another site cannot have the type of JSON without asking first, so no POST of
// the API takes another.
func TestAPostOfTheAPIMustBeJSON(t *testing.T) {
	r := newSendRig(t)
	d := r.put(delivery("", "{}"))
	for page, body := range map[string]string{
		"api/bury": `{"uid":"` + d.UID + `","why":"x"}`, "api/replay": `{"uid":"` + d.UID + `","why":"x"}`, "api/release": `{"uid":"` + d.UID + `","why":"x"}`,
		"api/pause": `{"type":"","why":"x"}`, "api/resume": `{"type":"","why":"x"}`,
		"api/replays": `{"state":"dead","why":"x"}`, "api/replays/stop": `{"id":1,"why":"x"}`, "api/send": `{"key":"github","url":"http://localhost/","body":"","why":"x"}`,
	} {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/plain; application/json", "application/json, text/plain"} {
			request := r.request("POST", page, body)
			if kind != "" {
				request.Header.Set("Content-Type", kind)
			}
			requireError(t, r.serve(request), 415, "must be application/json")
		}
	}
	if s, acts := r.state(d), r.acted(); s != "waiting" || len(acts) != 0 {
		t.Errorf("it is %s, and the acts are %v", s, acts)
	}
	request := r.request("POST", "api/bury", `{"uid":"`+d.UID+`","why":"x"}`)
	request.Header.Set("Content-Type", "Application/JSON; charset=utf-8")
	if w := r.serve(request); w.Code != 200 {
		t.Errorf("with a charset: %d %s", w.Code, w.Body)
	}
}
