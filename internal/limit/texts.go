package limit

import "fmt"

// Texts are those of a delivery, by the names of its fields.
type Texts struct {
	UID, Source, ID, Type, OrderingKey, KeyLabel, Malformed, Unsigned string

	DedupKeys []string
}

// Check returns an error if not every database stores the texts. It names the first of them that
// is too long, or is not UTF-8 without NUL. A delivery without a UID is not stored either.
func (t Texts) Check() error {
	if t.UID == "" {
		return fmt.Errorf("it has no UID")
	}
	fields := [...]struct {
		what, text string
		most       int
	}{
		{"UID", t.UID, Name}, {"Source", t.Source, Name}, {"ID", t.ID, Name}, {"Type", t.Type, Name},
		{"OrderingKey", t.OrderingKey, Name}, {"KeyLabel", t.KeyLabel, Name},
		{"Malformed", t.Malformed, Reason}, {"Unsigned", t.Unsigned, Reason},
	}
	for _, f := range fields {
		if err := checkText(f.what, f.text, f.most); err != nil {
			return err
		}
	}
	for _, key := range t.DedupKeys {
		if err := checkText("dedup key", key, Name); err != nil {
			return err
		}
	}
	return nil
}

func checkText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return fmt.Errorf("%s of %d bytes, over %d", what, len(text), most)
	case !isText(text):
		return fmt.Errorf("%s is not UTF-8 without NUL", what)
	}
	return nil
}
