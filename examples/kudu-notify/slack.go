package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A slackTarget sends notices to an incoming webhook of Slack, as blocks.
type slackTarget struct {
	url     webhook.Secret
	mention string // mrkdwn that mentions people in failures; empty for none
}

func (slackTarget) kind() string { return "slack" }
func (slackTarget) name() string { return "slack" }

func (s slackTarget) send(ctx context.Context, id string, n notice, _ *mark) error {
	return post(ctx, s.url, id, slackMessage(n, s.mention))
}

// Maximum lengths in characters. Slack's limits for a field and a section are
// higher, because escaping may turn one character into five.
const (
	slackHeader  = 150
	slackField   = 300
	slackSection = 500
)

type (
	slackBody struct {
		// Channel is used by legacy webhooks only. The webhook of a Slack app has a
		// fixed channel.
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

func slackMessage(n notice, mention string) slackBody {
	sign := map[string]string{failure: ":warning:", recovery: ":white_check_mark:", success: ":shipit:", trial: ":bell:"}[n.What]
	title := sign + " " + n.title()
	blocks := []slackBlock{{Type: "header", Text: &slackText{"plain_text", truncate(title, slackHeader)}}}
	if n.What != failure {
		mention = ""
	}
	if mention != "" {
		blocks = append(blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", mention}})
	}
	if n.Message != "" {
		blocks = append(blocks, slackBlock{Type: "section", Text: &slackText{"mrkdwn", "```" + escapeMrkdwn(n.Message, slackSection) + "```"}})
	}
	var fields []slackText
	for _, f := range n.facts() {
		fields = append(fields, slackText{"mrkdwn", fmt.Sprintf("*%s*\n%s", f.name, escapeMrkdwn(f.value, slackField))})
	}
	blocks = append(blocks, slackBlock{Type: "section", Fields: fields})
	if n.URL != "" {
		blocks = append(blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", escapeMrkdwn(n.URL, slackField)}}})
	}
	return slackBody{Channel: n.Channel, Text: strings.TrimSpace(escapeMrkdwn(title, slackHeader) + " " + mention), Blocks: blocks}
}

// A member ID of Slack begins with U or W, and that of a user group with S.
var slackID = regexp.MustCompile(`^[UWS][A-Z0-9]{5,}$`)

// readMention returns the mrkdwn that mentions each one of a list.
func readMention(list string) (string, error) {
	var mentions []string
	for who := range strings.SplitSeq(list, ",") {
		switch who = strings.TrimSpace(who); {
		case who == "" && list == "":
		case who == "here" || who == "channel" || who == "everyone":
			mentions = append(mentions, "<!"+who+">")
		case !slackID.MatchString(who):
			return "", fmt.Errorf("-slack-mention: %q is not here, channel, everyone, or the ID of a member or a user group, such as U012AB3CD", who)
		case who[0] == 'S':
			mentions = append(mentions, "<!subteam^"+who+">")
		default:
			mentions = append(mentions, "<@"+who+">")
		}
	}
	return strings.Join(mentions, " "), nil
}

// escapeMrkdwn escapes untrusted text for mrkdwn, so that it cannot mention anyone,
// hide the target of a link, or end a code block.
func escapeMrkdwn(text string, limit int) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "```", "'''").Replace(truncate(text, limit))
}

// truncate shortens text to at most limit characters.
func truncate(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
