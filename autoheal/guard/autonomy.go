package guard

// Autonomy is how much the healer may do by itself.
type Autonomy string

// The levels of autonomy. Any other, the empty one included, allows nothing.
const (
	Act     Autonomy = "act"     // whatever the other guards allow
	Approve Autonomy = "approve" // only what can be taken back; the rest needs a named person
	Observe Autonomy = "observe" // nothing: the healer says what it would have done
)

// Destructive says whether a remedy destroys what cannot be brought back: a restart ends requests that are under way. One
// that is not known is taken to.
func Destructive(remedy string) bool {
	switch remedy {
	case ScaleOut, WaitLonger:
		return false
	}
	return true
}

// autonomy leaves to people what the healer may not do by itself here. It is the only guard that speaks of the place and
// not of the action, so it comes last: all that the others say is said first.
func autonomy(r Request) Answer {
	switch r.Limits.Autonomy {
	case Act:
		return yes("autonomy is act")
	case Approve:
		if !Destructive(r.Remedy) {
			return yes("autonomy is approve, and %s can be taken back", r.Remedy)
		}
		return never("autonomy is approve, and %s cannot be taken back: a person must do it, or let the healer", r.Remedy)
	case Observe:
		return never("autonomy is observe: nothing is done")
	}
	return never("autonomy %q is no level that this healer knows: use act, approve or observe", r.Limits.Autonomy)
}
