package dbtest

import (
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inboxtest"
)

func TestEveryEngineKeepsTheLawsOfInbox(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		inboxtest.Run(t, func(t *testing.T) webhook.Inbox {
			in, _ := e.open(t)
			return in
		})
	})
}
