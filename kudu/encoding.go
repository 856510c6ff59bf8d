package kudu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// A mark remembers how a field was read: 0 where it was absent, else 1 more
// than its spelling, with a bit for null.
type mark uint8

const nullMark mark = 1 << 7

func markOf(m member) mark {
	k := mark(m.spelling) + 1
	if m.Kind == scan.Null {
		k |= nullMark
	}
	return k
}

// name returns the name that the field is encoded under.
func (k mark) name(at int) string {
	if k == 0 {
		return spellings[at][0]
	}
	return spellings[at][k&^nullMark-1]
}

// fields returns where each field is kept.
func (d *Deployment) fields() [fieldCount]any {
	return [...]any{
		atID:                 &d.ID,
		atStatus:             &d.Status,
		atStatusText:         &d.StatusText,
		atAuthorEmail:        &d.AuthorEmail,
		atAuthor:             &d.Author,
		atMessage:            &d.Message,
		atProgress:           &d.Progress,
		atDeployer:           &d.Deployer,
		atReceivedTime:       &d.ReceivedTime,
		atStartTime:          &d.StartTime,
		atEndTime:            &d.EndTime,
		atLastSuccessEndTime: &d.LastSuccessEndTime,
		atComplete:           &d.Complete,
		atIsTemporary:        &d.IsTemporary,
		atIsReadOnly:         &d.IsReadOnly,
		atSiteName:           &d.SiteName,
		atHostName:           &d.HostName,
		atProjectType:        &d.ProjectType,
		atVSProjectID:        &d.VSProjectID,
		atActive:             &d.Active,
		atURL:                &d.URL,
		atLogURL:             &d.LogURL,
		atProvisioningState:  &d.ProvisioningState,
	}
}

var errNoObject = errors.New("kudu: deployment is not an object")

// UnmarshalJSON reads both spellings, unknown names left aside. What
// [Deployment.Check] refuses is an error here too. d is unchanged then, and by
// null.
func (d *Deployment) UnmarshalJSON(document []byte) error {
	doc, err := read(document)
	if err != nil {
		return fmt.Errorf("kudu: %w", err)
	}
	switch text := bytes.TrimSpace(document); {
	case string(text) == "null":
		return nil
	case text[0] != '{':
		return errNoObject
	}
	decoded := Deployment{Status: StatusPending}
	for at, field := range decoded.fields() {
		m := doc[at]
		if m.Kind == scan.Absent {
			continue
		}
		decoded.marks[at] = markOf(m)
		if err := json.Unmarshal(m.Raw, field); err != nil {
			return fmt.Errorf("kudu: %s: %w", spellings[at][m.spelling], err)
		}
	}
	decoded.statusToken = string(doc[atStatus].Raw)
	*d = decoded
	return nil
}

// MarshalJSON writes what was read under the names that it was read from, and
// what else has been set in camelCase.
func (d Deployment) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for at, field := range d.fields() {
		value, err := d.value(at, field)
		if err != nil {
			return nil, fmt.Errorf("kudu: %s: %w", spellings[at][0], err)
		}
		if value == nil {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, d.marks[at].name(at)...) // letters and underscores
		out = append(out, '"', ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// value encodes one field; nil where it is left out.
func (d *Deployment) value(at int, field any) ([]byte, error) {
	empty := reflect.ValueOf(field).Elem().IsZero()
	if at == atStatus {
		if d.statusToken != "" && d.Status == statusOf(d.statusToken) {
			return []byte(d.statusToken), nil
		}
		empty = empty || d.Status == StatusPending
	}
	switch {
	case empty && d.marks[at] == 0:
		return nil, nil
	case empty && d.marks[at]&nullMark != 0:
		return []byte("null"), nil
	default:
		return json.Marshal(field)
	}
}
