package webhook

import (
	"fmt"
	"net/http"
	"net/url"
)

// Document returns the JSON of a body, as [Delivery.Document] does. It is for a
// [Source.Describe], so that the calls of a sender that posts JSON or a form are described
// alike.
func Document(r *http.Request, body []byte) ([]byte, error) {
	return (&Delivery{Header: r.Header, Body: body}).Document()
}

// Document returns the JSON document. This is Body, or, if Content-Type is
// application/x-www-form-urlencoded, the value of the form's only field "payload". A body
// that begins with { or [ is JSON whatever the header says, since no form begins so. The
// result may share memory with Body.
//
// A form that lacks this field, repeats it or is badly encoded is [ErrMalformed]. For a
// form with other fields use [Delivery.Form].
func (d *Delivery) Document() ([]byte, error) {
	if !isForm(d.Header) || looksLikeJSON(d.Body) {
		return d.Body, nil
	}
	doc, err := formPayload(d.Body)
	if err != nil {
		return nil, d.malformed(err)
	}
	return doc, nil
}

// Form returns the fields of a body, as [Delivery.Form] does. It is for a
// [Source.Describe] whose sender posts forms with fields of their own.
func Form(r *http.Request, body []byte) (url.Values, error) {
	return (&Delivery{Header: r.Header, Body: body}).Form()
}

// Form returns the fields of a body whose Content-Type is
// application/x-www-form-urlencoded. A repeated field has all of its values, in order;
// Get returns the first. Names and values have the bytes that were sent: no charset is
// applied, and they need not be UTF-8. The result shares no memory with Body.
//
// These are [ErrMalformed]: a body of another Content-Type, one that begins with { or [,
// which is JSON, one that is badly encoded, and one with more than 1000 fields. The names
// and values together are no longer than Body.
func (d *Delivery) Form() (url.Values, error) {
	switch {
	case !isForm(d.Header):
		return nil, d.malformed(fmt.Errorf("the body is not a form: its Content-Type is %.64q", d.Header.Get("Content-Type")))
	case looksLikeJSON(d.Body):
		return nil, d.malformed(errJSONForm)
	}
	fields, err := formFields(d.Body)
	if err != nil {
		return nil, d.malformed(err)
	}
	return fields, nil
}

// malformed returns err as an ErrMalformed that names the Source, if d has one.
func (d *Delivery) malformed(err error) error {
	if d.Source == "" {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return fmt.Errorf("%s: %w: %w", d.Source, ErrMalformed, err)
}
