package standby
import "context"
type child struct{}
func (child) run(ctx context.Context) error {return nil}
