// Package imports takes in what a marketplace sold: its nightly batch, part by part, each part once.
package imports

import (
	"crypto/sha256"
	"encoding/json"
	"strings"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
)

// Part is one part of a batch. Batch and Part together name it; sending it again changes nothing.
type Part struct {
	Batch string `json:"batch"`
	Part  int    `json:"part"`
	Lines []Line `json:"lines"`
}

// Line is one sale.
type Line struct {
	Customer string `json:"customer"`
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
}

// Bounds of a part.
const (
	maxText     = 64
	maxPart     = 1_000_000
	maxLines    = 500
	maxQuantity = 1000
)

// validate returns a bad_request error that says what to change.
func (p Part) validate() error {
	switch {
	case !isText(p.Batch):
		return apierror.New(apierror.BadRequest, "give a batch of 1 to %d bytes", maxText)
	case p.Part < 1 || p.Part > maxPart:
		return apierror.New(apierror.BadRequest, "the part is %d; number them from 1 to %d", p.Part, maxPart)
	case len(p.Lines) == 0 || len(p.Lines) > maxLines:
		return apierror.New(apierror.BadRequest, "a part has 1 to %d lines; this one has %d", maxLines, len(p.Lines))
	}
	for i, line := range p.Lines {
		switch {
		case !isText(line.Customer) || !isText(line.SKU):
			return apierror.New(apierror.BadRequest, "line %d: give a customer and a sku of 1 to %d bytes", i+1, maxText)
		case line.Quantity < 1 || line.Quantity > maxQuantity:
			return apierror.New(apierror.BadRequest, "line %d: the quantity is %d; sell 1 to %d", i+1, line.Quantity, maxQuantity)
		}
	}
	return nil
}

func isText(s string) bool { return s != "" && len(s) <= maxText && !strings.ContainsRune(s, 0) }

// fingerprint tells a part that is sent again from another one under the same name.
func (p Part) fingerprint() []byte {
	// A struct of strings and numbers always encodes.
	data, _ := json.Marshal(p.Lines)
	sum := sha256.Sum256(data)
	return sum[:]
}
