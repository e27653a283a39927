package call

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/naksha-cloud/naksha/pkg/fault"
)

// Frame is a message as it travels. A gRPC call passes as frames: its request is decoded once, to be checked, and never
// encoded again.
type Frame []byte

// Raw is the codec for frames. Services see ordinary protobuf.
func Raw() encoding.CodecV2 { return rawCodec{} }

type rawCodec struct{}

// Name is the content subtype, as services know it.
func (rawCodec) Name() string { return "proto" }

// Marshal passes a frame on.
func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*Frame)
	if !ok {
		return nil, fmt.Errorf("raw codec: %T is no frame", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*f)}, nil
}

// Unmarshal takes a frame over.
func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*Frame)
	if !ok {
		return fmt.Errorf("raw codec: %T is no frame", v)
	}
	*f = data.Materialize()
	return nil
}

// Decode reads a frame as the method's request. A field that the platform does not know is refused: to ignore what a
// caller asked for, a dry run say, would be worse than to say that it is not understood.
func (m Method) Decode(f Frame) (proto.Message, error) {
	request := m.Request.New()
	if err := proto.Unmarshal(f, request.Interface()); err != nil {
		return nil, fault.Invalid("REQUEST_MALFORMED", "The request is not a valid %s.", request.Descriptor().FullName()).
			WithRemedy("Encode it with the published protos; strings must be UTF-8.").WithCause(err)
	}
	if err := known(request, m.Flat); err != nil {
		return nil, err
	}
	return request.Interface(), nil
}

// known refuses fields that m's type does not have, in m and below it.
func known(m protoreflect.Message, flat bool) (err error) {
	if unknown := m.GetUnknown(); len(unknown) > 0 {
		return unknownField(m.Descriptor(), unknown)
	}
	if flat {
		return nil
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		err = knownBelow(field, value)
		return err == nil
	})
	return err
}

func knownBelow(field protoreflect.FieldDescriptor, value protoreflect.Value) (err error) {
	switch {
	case field.IsMap():
		if field.MapValue().Message() == nil {
			return nil
		}
		value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
			err = known(v.Message(), false)
			return err == nil
		})
		return err
	case field.Message() == nil:
		return nil
	case field.IsList():
		for i := range value.List().Len() {
			if err := known(value.List().Get(i).Message(), false); err != nil {
				return err
			}
		}
		return nil
	}
	return known(value.Message(), false)
}
