package edgetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/wait"
	"github.com/hookhouse/hookhouse/webhook"
)

// senders call the edges. Each sends one delivery after the other to one edge, most with
// an ordering key of its own.
type senders struct {
	account *account
	signer  webhook.Signer
	client  *http.Client
	strict  bool          // a call that is not acknowledged is a fault
	most    int           // they pause while more acknowledged deliveries are not handled
	pace    time.Duration // maximum pause of each between two deliveries; zero means none

	all sync.WaitGroup
	end context.CancelFunc
}

// perEdge is the number of senders of one edge.
const perEdge = 4

// load starts senders to the edges. They pause while more than most deliveries are not handled.
func (c *chain) load(most int) *senders {
	return c.startSenders(&senders{most: most})
}

// paced starts senders that must not see an error.
func (c *chain) paced() *senders {
	return c.startSenders(&senders{most: 20_000, strict: true, pace: 400 * time.Millisecond})
}

func (c *chain) startSenders(s *senders) *senders {
	s.account, s.signer = c.account, signature()
	s.client = &http.Client{Timeout: wait.Timeout, Transport: &http.Transport{MaxIdleConnsPerHost: perEdge}}
	ctx, end := context.WithCancel(c.t.Context())
	s.end = end
	for e, address := range c.addresses() {
		for n := range perEdge {
			name := fmt.Sprintf("edge%d-sender%d", e+1, n+1)
			key := name
			if n == perEdge-1 {
				key = ""
			}
			s.all.Go(func() { s.send(ctx, "http://"+address+"/hooks", name, key) })
		}
	}
	return s
}

// stop ends the senders and returns when their calls have ended.
func (s *senders) stop() {
	s.end()
	s.all.Wait()
	s.client.CloseIdleConnections()
}

// send sends deliveries until ctx ends. If one is not acknowledged, the sender gives up with a
// probability of one third, or sends it again until it is. It sends some of the acknowledged
// ones again, as one that has lost its state does.
func (s *senders) send(ctx context.Context, url, name, key string) {
	for n := 1; s.mayGoOn(ctx); n++ {
		id := fmt.Sprintf("%s-%06d", name, n)
		s.account.send(id, key)
		acknowledged := s.call(ctx, url, id, key)
		for givesUp := rand.N(3) == 0; !acknowledged && !givesUp; acknowledged = s.call(ctx, url, id, key) {
			if wait.Part(ctx, 100*time.Millisecond) != nil {
				return
			}
		}
		if acknowledged && n%16 == 1 && ctx.Err() == nil {
			s.call(ctx, url, id, key)
		}
		if s.pace > 0 && wait.Part(ctx, s.pace) != nil {
			return
		}
	}
}

// mayGoOn waits while too many deliveries are not handled. It reports false when ctx ends.
func (s *senders) mayGoOn(ctx context.Context) bool {
	for s.account.now().unhandled > s.most && ctx.Err() == nil {
		_ = wait.Part(ctx, 20*time.Millisecond)
	}
	return ctx.Err() == nil
}

// call sends a delivery and reports whether it was acknowledged. The end of ctx does not
// interrupt it.
func (s *senders) call(ctx context.Context, url, id, key string) bool {
	err := s.post(context.WithoutCancel(ctx), url, id, key)
	if err != nil {
		s.account.refuse(id, err, s.strict)
		return false
	}
	s.account.acknowledge(id)
	return true
}

// post returns nil after a 202 whose text was read.
func (s *senders) post(ctx context.Context, url, id, key string) error {
	body := []byte(id + "\n" + strings.Repeat("the same again, ", 20+rand.N(200)))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = http.Header{"X-Delivery": {id}, "X-Key": {key}}
	if err := s.signer.Sign(r, body); err != nil {
		return err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusAccepted {
		return fmt.Errorf("%s: %.100s", answer.Status, text)
	}
	return nil
}
