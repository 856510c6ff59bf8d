package inspect

import "net/http"

func (in *Inspector) apiReplays(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Replays []selectionRun `json:"replays"`
	}{in.runs.all(replaying)})
	return nil
}

func (in *Inspector) apiBurials(w http.ResponseWriter, c call) error {
	if _, err := parameters(c.Request); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Burials []selectionRun `json:"burials"`
	}{in.runs.all(burying)})
	return nil
}

// apiStart returns the call of the API that begins an act on a selection.
func apiStart(kind *selectionKind) func(in *Inspector, w http.ResponseWriter, c call) error {
	return func(in *Inspector, w http.ResponseWriter, c call) error {
		var on struct {
			selectionText
			Rate    int
			By, Why string
		}
		if err := postJSON(w, c, maxForm, "parameters of the list, before or seqs, rate, by and why", &on); err != nil {
			return err
		}
		q := on.parameters()
		if err := checkValues(q, selectionNames); err != nil {
			return err
		}
		r, err := in.startSelection(c, kind, q, on.Rate, on.By, on.Why)
		if err == nil {
			writeJSON(w, c.Request, http.StatusOK, r)
		}
		return err
	}
}

func (in *Inspector) apiStop(w http.ResponseWriter, c call) error {
	var on struct {
		ID      int64
		By, Why string
	}
	if err := postJSON(w, c, maxForm, "id, by and why", &on); err != nil {
		return err
	}
	if err := in.stopSelection(c, on.ID, on.By, on.Why); err != nil {
		return err
	}
	writeJSON(w, c.Request, http.StatusOK, struct {
		Done string `json:"done"`
	}{"stop"})
	return nil
}
