package broken

import (
	"context"
	"sync"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// KeepsEndpoints is for a store of endpoints. Package publishcrash finds it.
const KeepsEndpoints Variant = "goes on with an endpoint as it was first read"

// StoreOf returns a store that breaks the promise, over one that keeps it.
func (v Variant) StoreOf(s publish.Store) publish.Store {
	if v != KeepsEndpoints {
		return s
	}
	return &keeper{Store: s, endpoints: make(map[string]*publish.Endpoint)}
}

// A keeper reads each endpoint once.
type keeper struct {
	publish.Store
	mu        sync.Mutex
	endpoints map[string]*publish.Endpoint
}

func (k *keeper) Get(ctx context.Context, id string) (*publish.Endpoint, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.endpoints[id]; e != nil {
		return e.Clone(), nil
	}
	e, err := k.Store.Get(ctx, id)
	if err == nil {
		k.endpoints[id] = e.Clone()
	}
	return e, err
}
