package browsertest

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hookhouse/hookhouse/webhook"
)

// What waits and matches a filter is buried at a rate, and then what is chosen, with and without
// scripts.
func TestASelectionIsBuried(t *testing.T) {
	t.Parallel()
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprint("scripts ", scripts), func(t *testing.T) {
			s := inspectedService(t, &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}, withPassword)
			must(t, s.Inbox.Pause(t.Context(), "github.push", webhook.Note{By: "a test", Why: "they wait"}))
			for i := range 4 {
				source := "github"
				if i == 3 {
					source = "other"
				}
				must(t, s.Inbox.Put(t.Context(), webhook.NewDelivery(source, "github.push", fmt.Sprint("branch ", i), []byte("{}"))))
			}
			b := newBrowser(t, s.URL, scripts)
			b.open("/?state=waiting&source=github")
			b.click("Bury all that match…")
			b.shows("3 waiting or blocked deliveries match.")
			b.shows("They become dead letters")
			if scripts {
				b.accessible("the question about a burial")
			}
			b.enter("rate", "100")
			b.enter("why", "broken commits")
			b.click("Bury")
			b.reloads("/replays", "3 of 3 buried, 0 skipped, at 100 a second.")
			b.shows("broken commits")
			b.reloads("/?state=dead", "buried by owner: broken commits")

			b.open("/")
			b.run("choose the newest", chromedp.Click(chromedp.CSS("#list input")))
			b.click("Bury the chosen…")
			b.shows("1 deliveries are chosen.")
			b.enter("why", "this one too")
			b.click("Bury")
			b.reloads("/replays", "1 of 1 buried")
			b.open("/?state=waiting")
			b.shows("No delivery matches.")
			b.open("/acts")
			b.shows("bury a selection")
		})
	}
}
