package sqlinbox

import (
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// where returns the filter as a condition over d.
func where(f webhook.Filter) (string, args) {
	var terms []string
	a := make(args)
	add := func(term, name string, value any) {
		terms = append(terms, term)
		a[name] = value
	}
	for _, t := range []struct{ column, value string }{
		{"uid", f.UID}, {"source", f.Source}, {"type", f.Type}, {"ordering_key", f.OrderingKey}, {"sender_id", f.ID},
	} {
		if t.value != "" {
			add("d."+t.column+" = @"+t.column, t.column, t.value)
		}
	}
	if len(f.States) > 0 {
		var names []string
		for i, s := range f.States {
			name := "state_" + string(rune('a'+i))
			names = append(names, "@"+name)
			a[name] = string(s)
		}
		terms = append(terms, "d.state IN ("+strings.Join(names, ", ")+")")
	}
	if f.Text != "" {
		// Most deliveries have no reason, and lower and LIKE cost more than the rest of a row.
		add(`d.reason <> '' AND lower(d.reason) LIKE lower(CAST(@text AS text)) ESCAPE '!'`, "text", "%"+escapeLike(f.Text)+"%")
	}
	if !f.From.IsZero() {
		add("d.received_at >= @since", "since", f.From.UnixMicro())
	}
	if !f.To.IsZero() {
		add("d.received_at < @until", "until", f.To.UnixMicro())
	}
	if f.Before > 0 {
		add("d.id < @before", "before", f.Before)
	}
	if f.After > 0 {
		add("d.id > @above", "above", f.After) // @after is an argument of those who use the condition
	}
	if len(terms) == 0 {
		return "", a
	}
	return " WHERE " + strings.Join(terms, " AND "), a
}

// matchesAll reports whether nothing is set that a delivery must meet.
func matchesAll(f webhook.Filter) bool {
	text, _ := where(f)
	return text == ""
}

func escapeLike(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}
