package crash

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
)

// A victim is what a kill ends.
type victim int

// The victims, in turn.
const (
	theReceiver victim = iota
	theServer
	both
)

func (v victim) String() string { return [...]string{"receiver", "server", "receiver and server"}[v] }

// victim returns what to kill next.
func (r *run) victim() victim {
	if r.Server == nil {
		return theReceiver
	}
	return victim(r.kills % 3)
}

// A moment is the state that a kill would meet.
type moment struct {
	acknowledged int // since the kill before
	inFlight     int // requests begun whose answer is not read
	running      int // callbacks
}

func (m moment) counts() bool {
	return m.acknowledged >= minAtStake && m.inFlight >= minAtStake && m.running > 0
}

func (m moment) String() string {
	return fmt.Sprintf("%d acknowledged, %d in flight, %d running", m.acknowledged, m.inFlight, m.running)
}

func (r *run) moment() moment {
	acknowledged, running := r.account.sinceLastKill()
	return moment{acknowledged, int(r.load.inFlight.Load()), running}
}

// killOnce kills at a random moment under load, if that counts, and starts again what
// it has killed. A kill does not count either if the last lines of the receiver show
// that everything was settled just before it.
func (r *run) killOnce(ctx context.Context) (counted bool, err error) {
	r.load.open()
	if err := wait.Part(ctx, cmp.Or(r.Wait, 50*time.Millisecond)); err != nil {
		return false, err
	}
	v, m := r.victim(), r.moment()
	if !m.counts() {
		return false, nil
	}
	var claimed int
	if v == theServer {
		claimed, err = r.killServer(ctx)
	} else {
		claimed, err = r.killReceiver(ctx, v == both)
	}
	if err != nil {
		return false, err
	}
	acknowledged, second := r.account.endKill()
	if counted = claimed > 0; counted {
		r.kills++
		fmt.Fprintf(r.Output, "%s: kill %d, of the %s: %d acknowledged since the last, %d in flight, %d claimed, %d second runs since the last\n",
			r.Name, r.kills, v, acknowledged, m.inFlight, claimed, second)
	}
	r.load.shut()
	return counted, r.drain(ctx, maxPending)
}

// killReceiver kills the receiver, and the server if withServer, and starts them
// again. It returns how many deliveries were claimed.
func (r *run) killReceiver(ctx context.Context, withServer bool) (claimed int, err error) {
	r.load.shut() // what is in flight stays in flight
	r.receiver.Kill()
	r.receiver = nil
	claimed = r.account.excuseClaims()
	r.account.endRuns()
	if withServer {
		if err := r.Server.Kill(); err != nil {
			return 0, err
		}
		if err := r.Server.Restart(ctx); err != nil {
			return 0, err
		}
	}
	return claimed, r.startReceiver(ctx)
}

// killServer kills the server under a receiver that goes on, waits until the receiver
// refuses calls, and starts the server again. It returns how many deliveries were
// claimed: none can be claimed or settled until the server is back.
func (r *run) killServer(ctx context.Context) (claimed int, err error) {
	if err := r.Server.Kill(); err != nil {
		return 0, err
	}
	before := r.load.refused.Load()
	if err := wait.Until(ctx, "calls are refused without a database", func() bool { return r.load.refused.Load() > before }); err != nil {
		return 0, err
	}
	claimed = r.account.excuseClaims()
	return claimed, r.Server.Restart(ctx)
}
