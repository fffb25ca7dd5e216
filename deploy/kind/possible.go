package kind

import (
	"context"
	"io"

	manifests "github.com/faultline-lab/faultline/deploy/kubernetes"
)

// Possible says whether the stack can run on kind here without building images, and why or why not, in a sentence. It
// answers within seconds and changes nothing.
func Possible(ctx context.Context) (yes bool, reason string) {
	engine, err := findEngine(ctx)
	if err != nil {
		return false, err.Error()
	}
	objects, err := manifests.Render(manifests.Options{Overlay: overlay, WithoutGrafana: true})
	if err != nil {
		return false, err.Error()
	}
	yes, reason = newChooser(engine, foreign(objects), io.Discard).possible(ctx)
	return yes, "Docker " + engine.version + " answers, and " + reason
}
