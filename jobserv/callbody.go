package jobserv

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/internal/pyjson"
)

// A memberOrder is the order in which JobServ encodes the members of an object in a call, and
// those of the objects in it (JobServ: models.py, as_json). Its API sorts them by name.
type memberOrder struct {
	names []string
	below map[string]memberOrder
}

var buildOrder = memberOrder{
	names: []string{
		"build_id", "url", "status", "runs", "web_url", "name", "trigger_name", "created", "completed",
		"status_events", "runs_url", "reason", "annotation",
	},
	below: map[string]memberOrder{
		"runs":          {names: []string{"name", "url", "status", "log_url", "web_url", "created", "completed", "host_tag", "tests"}},
		"status_events": {names: []string{"time", "status"}},
	},
}

// callBody returns the body of the call that JobServ makes for a build, with the same bytes
// if nothing has changed since and the call has the same host in its URLs. A promotion makes
// no call and is no event, so the status is that of the last event.
func callBody(b Build, members map[string]any) []byte {
	if b.Result() == Promoted {
		members["status"] = string(b.completion())
	}
	return pyjson.Append(nil, ordered(members, buildOrder))
}

// ordered returns a decoded value with members in order. Those that the order does not have
// follow, sorted by name.
func ordered(v any, order memberOrder) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for n, e := range v {
			list[n] = ordered(e, order)
		}
		return list
	case map[string]any:
		var o pyjson.Object
		for _, name := range order.names {
			if m, ok := v[name]; ok {
				o.Add(name, ordered(m, order.below[name]))
			}
		}
		var others []string
		for name := range v {
			if !slices.Contains(order.names, name) {
				others = append(others, name)
			}
		}
		slices.Sort(others)
		for _, name := range others {
			o.Add(name, ordered(v[name], memberOrder{}))
		}
		return o
	default:
		return v
	}
}

// decodeMembers decodes an object, with its numbers as they are written.
func decodeMembers(text []byte) (members map[string]any, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&members); err != nil {
		return nil, err
	}
	if members == nil {
		return nil, errors.New("null")
	}
	return members, nil
}
