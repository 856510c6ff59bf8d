package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// wantError requires an error that wraps a sentinel.
func (t *trial) wantError(what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s returned the error %v, want %v", what, err, want)
	}
}

// want requires a list of the IDs, in order.
func (t *trial) want(what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s returned %q, want %q", what, got, want)
	}
}

// wantFields requires that two endpoints are equal but for Seq and Last.
func (t *trial) wantFields(got, want *publish.Endpoint) {
	t.Helper()
	a, b := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if name != "Seq" && name != "Last" && !equal(a.Field(i).Interface(), b.Field(i).Interface()) {
			t.Errorf("%s is %v, want %v", name, a.Field(i), b.Field(i))
		}
	}
}

// wantAttempt requires that two attempts are equal but for Seq.
func (t *trial) wantAttempt(got, want publish.Attempt) {
	t.Helper()
	a, b := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range a.NumField() {
		if name := a.Type().Field(i).Name; name != "Seq" && !equal(a.Field(i).Interface(), b.Field(i).Interface()) {
			t.Errorf("%s is %v, want %v", name, a.Field(i), b.Field(i))
		}
	}
}

// equal compares two values of a field. Empty maps and lists equal nil.
func equal(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		return a.Equal(b.(time.Time))
	case []publish.Secret:
		return slices.EqualFunc(a, b.([]publish.Secret), func(a, b publish.Secret) bool {
			return bytes.Equal(a.Reveal(), b.Reveal()) && a.Until.Equal(b.Until)
		})
	}
	if v := reflect.ValueOf(a); (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() == 0 {
		return reflect.ValueOf(b).Len() == 0
	}
	return reflect.DeepEqual(a, b)
}

// number returns the IDs of endpoints of a trial, by their numbers.
func number(numbers ...int) (ids []string) {
	for _, n := range numbers {
		ids = append(ids, fmt.Sprintf("ep_%04d", n))
	}
	return ids
}
