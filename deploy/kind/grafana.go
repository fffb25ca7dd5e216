package kind

import (
	"context"
	"slices"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
)

// noGrafana is said where it is missing.
const noGrafana = "left out: Grafana, because its image cannot be had here. Nothing needs it; docs/dashboards.md says how to look at " +
	"the dashboards with one of your own"

// addGrafana adds it to what is applied, where its image can be had.
func (a *ascent) addGrafana(ctx context.Context, say func(string)) error {
	if a.node.Airgapped {
		return nil
	}
	whole, err := manifests.Render(manifests.Options{Overlay: overlay})
	if err != nil {
		return err
	}
	needed := foreign(a.objects)
	further := slices.DeleteFunc(foreign(whole), func(ref string) bool { return slices.Contains(needed, ref) })
	had, err := canHave(ctx, a.engine, further, say)
	if had {
		a.objects, a.grafana = whole, true
	}
	return err
}

// canHave says whether the engine has the images, or can pull them. That it cannot is no reason to do without a cluster, and
// no error.
func canHave(ctx context.Context, source imageSource, refs []string, say func(string)) (bool, error) {
	for _, ref := range refs {
		there, err := source.has(ctx, ref)
		if err != nil {
			return false, err
		}
		if there {
			continue
		}
		say("pulling " + ref)
		if err := source.pull(ctx, ref, say); err != nil {
			return false, context.Cause(ctx)
		}
	}
	return true, nil
}
