package kudu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/hookhouse/hookhouse/internal/scan"
)

// A fieldForm records how a field was written in a decoded document: 0 if it
// was absent, otherwise the index of its spelling plus 1, with nullForm set if
// it was null.
type fieldForm uint8

const nullForm fieldForm = 1 << 7

func formOf(m member) fieldForm {
	form := fieldForm(m.spelling) + 1
	if m.Kind == scan.Null {
		form |= nullForm
	}
	return form
}

// name returns the name under which the field is encoded.
func (form fieldForm) name(at int) string {
	if form == 0 {
		return spellings[at][0]
	}
	return spellings[at][form&^nullForm-1]
}

// fields returns pointers to the fields.
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

// UnmarshalJSON decodes a document in either spelling and ignores unknown
// names. It returns an error for a document that [Deployment.Check] refuses. On
// an error, and for null, the Deployment is unchanged.
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
		decoded.forms[at] = formOf(m)
		if err := json.Unmarshal(m.Raw, field); err != nil {
			return fmt.Errorf("kudu: %s: %w", spellings[at][m.spelling], err)
		}
	}
	decoded.statusToken = string(doc[atStatus].Raw)
	*d = decoded
	return nil
}

// MarshalJSON encodes decoded fields under the names that they had in the
// decoded document, and all others in camelCase. Fields with their default are
// omitted, unless they were present in that document.
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
		out = append(out, d.forms[at].name(at)...) // letters and underscores need no escaping
		out = append(out, '"', ':')
		out = append(out, value...)
	}
	return append(out, '}'), nil
}

// value returns the encoded value of a field, or nil if it is omitted.
func (d *Deployment) value(at int, field any) ([]byte, error) {
	empty := reflect.ValueOf(field).Elem().IsZero()
	if at == atStatus {
		if d.statusToken != "" && d.Status == statusOf(d.statusToken) {
			return []byte(d.statusToken), nil
		}
		empty = empty || d.Status == StatusPending
	}
	switch {
	case empty && d.forms[at] == 0:
		return nil, nil
	case empty && d.forms[at]&nullForm != 0:
		return []byte("null"), nil
	default:
		return json.Marshal(field)
	}
}
