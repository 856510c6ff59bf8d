package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// Slack is told by an incoming webhook, in blocks.
type slack struct{ url webhook.Secret }

func (slack) kind() string { return "slack" }
func (slack) name() string { return "slack" }

func (s slack) send(ctx context.Context, id string, n notice) error {
	return post(ctx, s.url, id, slackMessage(n))
}

// What Slack allows, in characters. A field and a section have more room than
// this; escaping may take five for one.
const (
	slackHeader  = 150
	slackField   = 300
	slackSection = 500
)

type (
	slackBody struct {
		// Channel is heeded by webhooks of the older kind only; a Slack app's
		// webhook has a channel of its own.
		Channel string       `json:"channel,omitempty"`
		Text    string       `json:"text"` // for notifications and old clients
		Blocks  []slackBlock `json:"blocks"`
	}
	slackBlock struct {
		Type     string      `json:"type"`
		Text     *slackText  `json:"text,omitempty"`
		Fields   []slackText `json:"fields,omitempty"`
		Elements []slackText `json:"elements,omitempty"`
	}
	slackText struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

func slackMessage(n notice) slackBody {
	sign := map[string]string{failure: ":warning:", recovery: ":white_check_mark:", success: ":shipit:"}[n.What]
	title := sign + " " + n.title()
	blocks := []slackBlock{{Type: "header", Text: &slackText{"plain_text", cut(title, slackHeader)}}}
	if n.Message != "" {
		blocks = append(blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", "```" + escaped(n.Message, slackSection) + "```"}})
	}
	var fields []slackText
	for _, f := range n.facts() {
		fields = append(fields, slackText{"mrkdwn", fmt.Sprintf("*%s*\n%s", f.name, escaped(f.value, slackField))})
	}
	blocks = append(blocks, slackBlock{Type: "section", Fields: fields})
	if n.URL != "" {
		blocks = append(blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", escaped(n.URL, slackField)}}})
	}
	return slackBody{Channel: n.Channel, Text: escaped(title, slackHeader), Blocks: blocks}
}

// escaped makes text that comes from outside harmless in mrkdwn: it can neither
// mention anybody, nor hide where a link leads, nor end a code block.
func escaped(text string, most int) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "```", "'''").Replace(cut(text, most))
}

// cut keeps at most so many characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
