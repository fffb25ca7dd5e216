package workload

import "errors"

// What those who change workloads tell apart. An error that is none of these may have had its effect all the same.
var (
	// ErrConflict says that the world is no longer the one that was judged: the replica has been started anew, or the
	// workload has another size or version. Nothing was changed.
	ErrConflict = errors.New("it has been changed since it was judged")
	// ErrNotFound says that there is no such workload, replica or version (any more). Nothing was changed.
	ErrNotFound = errors.New("no such workload, replica or version")
	// ErrRefused says that whoever runs the workload does not allow it, and will not in a moment. Nothing was changed.
	ErrRefused = errors.New("it is not allowed")
	// ErrNotNow says that it is not allowed at this moment; asking again later may help. Nothing was changed.
	ErrNotNow = errors.New("it is not allowed at this moment")
)
