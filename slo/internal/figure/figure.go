// Package figure is a number that may be unknown: null in JSON, "unknown" in text, never zero.
package figure

import (
	"encoding/json"
	"math"
	"strconv"
)

// Figure is a measured number. What is not a finite number is unknown.
type Figure float64

// Unknown is the figure of what nobody has measured.
func Unknown() Figure { return Figure(math.NaN()) }

// Known says whether there is a number.
func (f Figure) Known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// Over divides; by zero, or with an unknown on either side, the result is unknown.
func (f Figure) Over(by Figure) Figure {
	if by == 0 {
		return Unknown()
	}
	return f / by
}

// Text is the number with so many digits after the point, or "unknown".
func (f Figure) Text(digits int) string {
	if !f.Known() {
		return "unknown"
	}
	return strconv.FormatFloat(float64(f), 'f', digits, 64)
}

// Percent is a share as a percentage with so many digits after the point, or "unknown".
func (f Figure) Percent(digits int) string {
	if !f.Known() {
		return "unknown"
	}
	return (100 * f).Text(digits) + " %"
}

// MarshalJSON writes null for what is unknown.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON reads null as unknown.
func (f *Figure) UnmarshalJSON(data []byte) error {
	var number *float64
	if err := json.Unmarshal(data, &number); err != nil {
		return err
	}
	*f = Unknown()
	if number != nil {
		*f = Figure(*number)
	}
	return nil
}
