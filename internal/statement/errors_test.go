package statement

import (
	"errors"
	"fmt"
	"testing"
)

type stateError string

func (e stateError) Error() string    { return "state " + string(e) }
func (e stateError) SQLState() string { return string(e) }

func TestErrorsAreClassified(t *testing.T) {
	classes := map[string]func(error) bool{
		"serialization": IsSerialization, "conflict": IsConflict, "lock timeout": IsLockTimeout, "busy": IsBusy, "storage": IsStorageFault, "other schema": IsOtherSchema,
		"refusal":       IsRefusal,
		"missing table": func(err error) bool { return IsMissingTable(err, "jobs") },
	}
	for _, tt := range []struct {
		err  error
		want []string
	}{
		{nil, nil},
		{errors.New("disk full"), nil},
		{stateError("40001"), []string{"serialization", "conflict"}},
		{stateError("40P01"), []string{"conflict"}},
		{stateError("55P03"), []string{"lock timeout"}},
		{stateError("42703"), []string{"other schema"}},
		{stateError("42P01"), []string{"other schema", "missing table"}},
		{stateError("no such table: jobs"), nil},
		{errors.New("database is locked (5) (SQLITE_BUSY)"), []string{"busy"}},
		{errors.New("sqlite3: database is locked"), []string{"busy"}},
		{errors.New("database or disk is full (13)"), []string{"storage"}},
		{errors.New("sqlite3: database or disk is full"), []string{"storage"}},
		{errors.New("disk I/O error: no space left on device (778)"), []string{"storage"}},
		{errors.New("attempt to write a readonly database"), []string{"storage"}},
		{errors.New("unable to open database file: out of memory (14)"), []string{"storage"}},
		{errors.New("sqlite3: out of memory"), []string{"storage"}},
		{stateError("out of memory"), nil},
		{errors.New("database disk image is malformed (11)"), nil},
		{errors.New("constraint failed: UNIQUE constraint failed: jobs.uid (2067)"), []string{"refusal"}},
		{errors.New("sqlite3: constraint failed: no"), []string{"refusal"}},
		{errors.New("datatype mismatch (20)"), []string{"refusal"}},
		{stateError("22P05"), []string{"refusal"}},
		{stateError("23514"), []string{"refusal"}},
		{stateError("54000"), []string{"refusal"}},
		{stateError("P0001"), []string{"refusal"}},
		{stateError("constraint failed"), nil},
		{stateError("08006"), nil},
		{errors.New("no such column: at"), []string{"other schema"}},
		{errors.New("table jobs has no column named at"), []string{"other schema"}},
		{errors.New("no such table: jobs"), []string{"other schema", "missing table"}},
		{errors.New("no such table: runs"), []string{"other schema"}},
	} {
		wrapped := tt.err
		if wrapped != nil {
			wrapped = fmt.Errorf("wrapped: %w", wrapped)
		}
		for name, is := range classes {
			want := false
			for _, w := range tt.want {
				want = want || w == name
			}
			if is(wrapped) != want {
				t.Errorf("%v: %s is %v", tt.err, name, !want)
			}
		}
	}
	if State(fmt.Errorf("wrapped: %w", stateError("23505"))) != "23505" || State(errors.New("23505")) != "" {
		t.Error("State is not that of the driver's error")
	}
}
