package sqlinbox

import "strconv"

// pack makes the arguments of a batch: the rows as one JSON array, and the
// envelopes and bodies one after the other, to which the rows point. One
// statement then takes a batch of any size, whatever the driver.
func pack(batch []*job) (rows string, bytes []byte) {
	nText, nBytes := 2, 0
	for _, j := range batch {
		e := j.put
		nText += len(e.row) + 96
		nBytes += e.size()
	}
	text := make([]byte, 0, nText)
	bytes = make([]byte, 0, nBytes)
	text = append(text, '[')
	for i, j := range batch {
		e := j.put
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, `{"n":`...)
		text = strconv.AppendInt(text, int64(i), 10)
		text = append(text, `,"at":`...)
		text = strconv.AppendInt(text, int64(len(bytes)), 10)
		if e.burst != 0 {
			text = append(text, `,"burst_started_at":`...)
			text = strconv.AppendInt(text, e.burst, 10)
		}
		text = append(text, ',')
		text = append(text, e.row[1:]...)
		bytes = append(append(bytes, e.envelope...), e.delivery.Body...)
	}
	return string(append(text, ']')), bytes
}
