package kuduhooks

import (
	"cmp"
	"net/http"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dotnet"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// defaultOwner is the owner of the endpoints if a Handler has no other.
const defaultOwner = "kudu"

// A Handler serves the hooks API; see the package comment. Each hook is an endpoint of the
// Publisher, whose ID is the one of the hook. Set the field before use. A Handler is safe for
// concurrent use and must not be copied.
type Handler struct {
	// Owner is the Owner of the endpoints and of the events. Handlers with different Owners
	// have different hooks. Empty means "kudu".
	Owner string

	publisher *publish.Publisher
	served    http.Handler

	mu        sync.Mutex // guards lastTicks
	lastTicks int64
}

// New returns a Handler whose hooks are endpoints of publisher. Protect wraps everything that
// it serves: it must refuse those who may not see or change hooks, since a list shows the
// URLs of the hooks with their passwords, and whoever subscribes gets the events. New panics
// if one is nil.
func New(publisher *publish.Publisher, protect func(http.Handler) http.Handler) *Handler {
	if publisher == nil || protect == nil {
		panic("kuduhooks: New needs a publisher, and a protect that refuses strangers")
	}
	h := &Handler{publisher: publisher}
	h.served = protect(http.NewCrossOriginProtection().Handler(h.routes()))
	return h
}

// ServeHTTP answers a request to the API.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.served.ServeHTTP(w, r) }

// routes has the routes of Kudu (Kudu: NinjectServices.cs), and the one that its wiki has for
// publish.
func (h *Handler) routes() http.Handler {
	var mux http.ServeMux
	for _, hooks := range []string{"/api/hooks", "/hooks"} {
		mux.HandleFunc("POST "+hooks, h.subscribe)
		mux.HandleFunc("POST "+hooks+"/{$}", h.subscribe)
		mux.HandleFunc("GET "+hooks, h.list)
		mux.HandleFunc("GET "+hooks+"/{$}", h.list)
		mux.HandleFunc("GET "+hooks+"/{id}", h.get)
		mux.HandleFunc("DELETE "+hooks+"/{id}", h.remove)
		mux.HandleFunc("POST "+hooks+"/publish/{event}", h.publish)
		mux.HandleFunc("POST "+hooks+"/hooks/publish/{event}", h.publish)
	}
	return &mux
}

func (h *Handler) owner() string { return cmp.Or(h.Owner, defaultOwner) }

// newID returns the ID of a new hook: the time in ticks, as Kudu's, and never the same twice
// in this process.
func (h *Handler) newID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lastTicks = max(h.lastTicks+1, dotnet.Ticks(time.Now()))
	return h.lastTicks
}
