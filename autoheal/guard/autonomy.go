package guard

// Autonomy is how much the healer may do by itself.
type Autonomy string

// The levels of autonomy. Any other, the empty one included, allows nothing.
const (
	Act     Autonomy = "act"     // whatever the other guards allow
	Approve Autonomy = "approve" // only what can be taken back; the rest needs a named person
	Observe Autonomy = "observe" // nothing: the healer says what it would have done
)

// autonomy leaves to people what the healer may not do by itself here. It is the only guard that speaks of the place and
// not of the action, so it comes last: all that the others say is said first.
func autonomy(r Request) Answer {
	level := r.Limits.Autonomy
	switch {
	case level == Observe:
		return never("autonomy is observe: nothing is done")
	case level != Act && level != Approve:
		return never("autonomy %q is no level that this healer knows: use act, approve or observe", level)
	case r.Approved != "":
		return yes("%s has approved %s", r.Approved, r.Remedy)
	case r.Limits.AskFirst:
		return never("the playbook asks for a person's approval of %s here", r.Remedy)
	case level == Act:
		return yes("autonomy is act")
	case !r.destroys():
		return yes("autonomy is approve, and %s can be taken back", r.Remedy)
	default:
		return never("autonomy is approve, and %s cannot be taken back: a person must approve it", r.Remedy)
	}
}
