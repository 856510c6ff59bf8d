package inspect_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAShutdownDoesNotWaitForViewers(t *testing.T) {
	r := newRig(t)
	r.put(delivery("key", "{}"))
	mux := http.NewServeMux()
	mux.Handle("/debug/hooks/", r.Inspector)
	server := httptest.NewUnstartedServer(mux)
	server.Config.RegisterOnShutdown(r.Close)
	server.Start()
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/debug/hooks/api/live")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if !strings.Contains(lines.Text(), `"key":"key"`) {
		t.Fatalf("the first update is %q", lines.Text())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream ends with %v", err)
	}
}
