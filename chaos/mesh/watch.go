package mesh

import (
	"context"
	"fmt"

	"github.com/faultline-lab/faultline/chaos/fault"
)

// Watch tells what becomes of the resource, in words, as it becomes: its duration is over, Chaos Mesh has taken it away,
// somebody has deleted it. It returns when there is nothing more to see, or when the context ends.
func (d *Driver) Watch(ctx context.Context, encoded fault.State, tell func(text string)) {
	resource, _, err := d.stored(encoded)
	if err != nil {
		tell(err.Error())
		return
	}
	last, trouble := injected, ""
	_ = d.client.every(ctx, func() (bool, error) { // its end is the end of the watching, whatever the reason
		err := d.client.get(ctx, resource)
		switch {
		case gone(err) && last == recovered:
			return true, nil
		case gone(err):
			tell(describe(resource) + " is gone: somebody else has deleted it")
			return true, nil
		case err != nil:
			return false, err
		}
		if stage := stageOf(resource); stage != last {
			tell(fmt.Sprintf("%s: %s", describe(resource), stage))
			last = stage
		}
		if failed := after(failures(resource)); failed != trouble {
			tell(describe(resource) + " has trouble" + failed)
			trouble = failed
		}
		return last == recovered, nil
	})
}
