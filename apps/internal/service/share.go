package service

import (
	"fmt"
	"strconv"
)

// Share is a part of a whole, above 0 and at most 1. Its zero value means all.
type Share float64

// UnmarshalText refuses 0, which would mean all.
func (s *Share) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(value > 0 && value <= 1) {
		return fmt.Errorf("%q is no share: give a number above 0 and at most 1", text)
	}
	*s = Share(value)
	return nil
}
