package remedy

import "github.com/faultline-lab/faultline/autoheal/edge"

// DeferPaymentName is the name of the remedy that has orders paid for later.
const DeferPaymentName = "defer-payment"

// deferPayment takes the payment out of the order's transaction: for a payment provider that is slow. Orders are placed and
// count as completed; what is paid for later is no longer in the way.
func deferPayment(d door) *EdgeMode {
	return &EdgeMode{door: d, remedy: DeferPaymentName, mode: edge.DeferPayment, traits: Traits{Lasting: true}}
}
