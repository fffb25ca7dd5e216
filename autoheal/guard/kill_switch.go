package guard

// killSwitch stops every action while people have thrown the switch. It works without the healer's API.
func killSwitch(r Request) Answer {
	switch r.Switch {
	case SwitchOff:
		return yes("the kill switch is off")
	case SwitchOn:
		return soon("the kill switch is on: remove its file, or its ConfigMap from the namespace of the workloads, to let the healer act again")
	default:
		return soon("the kill switch could not be read, so it counts as on: check its file's folder, or the healer's right to read its ConfigMap")
	}
}
