package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// pages adds the flags of a list. Without them it is shown to its end.
type pages struct {
	size  int32
	token string
}

func (p *pages) flags(c *cobra.Command) {
	c.Flags().Int32Var(&p.size, "page-size", 0, "show one page of at most so many, 1 to 1000; default: the whole list")
	c.Flags().StringVar(&p.token, "page-token", "", "show one page: next page token of the page before")
}

// onePage says whether one page was asked for.
func onePage(c *cobra.Command) bool {
	return c.Flags().Changed("page-size") || c.Flags().Changed("page-token")
}

// tellNext says that a page is not the last one, where the page itself does not.
func (a *App) tellNext(reply proto.Message) {
	if token := nextPage(reply); token != "" && a.output != outputJSON && a.output != outputYAML {
		fmt.Fprintf(a.Err, "There is more: go on with --page-token %s\n", token)
	}
}

// following adds the pages that follow to a list's first one.
func following[Q, R proto.Message](ctx context.Context, call rpc[Q, R], request Q, reply R) error {
	for token := nextPage(reply); token != ""; token = nextPage(reply) {
		q, r := request.ProtoReflect(), reply.ProtoReflect()
		q.Set(q.Descriptor().Fields().ByName("page_token"), protoreflect.ValueOfString(token))
		page, err := call(ctx, request)
		if err != nil {
			return err
		}
		r.Clear(r.Descriptor().Fields().ByName("next_page_token"))
		proto.Merge(reply, page)
	}
	return nil
}

// nextPage is the token of the page that follows; empty on the last page, and of what is no list.
func nextPage(reply proto.Message) string {
	r := reply.ProtoReflect()
	if f := r.Descriptor().Fields().ByName("next_page_token"); f != nil {
		return r.Get(f).String()
	}
	return ""
}
