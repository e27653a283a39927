package api

import (
	"context"

	tenantv1 "github.com/naksha-cloud/naksha/proto/gen/naksha/tenant/v1"
	"github.com/naksha-cloud/naksha/services/tenant/internal/cell"
	"github.com/naksha-cloud/naksha/services/tenant/internal/workspace"
)

// Operator acts on login generations.
type Operator interface {
	Install(ctx context.Context, o cell.Owner, generation int32, verifier string) (cell.Login, error)
	Disable(ctx context.Context, o cell.Owner, generation int32, endSessions bool) (cell.Login, error)
	Enable(ctx context.Context, o cell.Owner, generation int32) (cell.Login, error)
	Drop(ctx context.Context, o cell.Owner, generation int32) error
	Observe(ctx context.Context, o cell.Owner) ([]cell.Login, error)
}

// Stager acts on restores.
type Stager interface {
	Stage(ctx context.Context, r cell.Restore, verifier string) error
	Swap(ctx context.Context, r cell.Restore) error
	Undo(ctx context.Context, r cell.Restore) error
	Clear(ctx context.Context, r cell.Restore, undo bool) error
}

// Cells implements naksha.tenant.v1.CellService.
type Cells struct {
	tenantv1.UnimplementedCellServiceServer
	Cell     cell.Cell
	Operator Operator
	Stager   Stager
	Store    interface {
		Workspace(ctx context.Context, ref string) (workspace.Workspace, error)
	}
}

// GetCell says how to reach the cell of a workspace or server.
func (s *Cells) GetCell(ctx context.Context, r *tenantv1.GetCellRequest) (*tenantv1.GetCellResponse, error) {
	owner, err := cell.ParseOwner(r.GetName())
	if err != nil {
		return nil, err
	}
	if owner.Ref == "" && owner.Server != s.Cell.Server {
		return nil, cell.ServerNotFound(owner.Server)
	}
	if owner.Ref != "" {
		if _, err := s.Store.Workspace(ctx, owner.Ref); err != nil {
			return nil, err
		}
	}
	return &tenantv1.GetCellResponse{Cell: cellMessage(s.Cell)}, nil
}

// InstallLogin makes or adopts a login generation.
func (s *Cells) InstallLogin(ctx context.Context, r *tenantv1.InstallLoginRequest) (*tenantv1.InstallLoginResponse, error) {
	owner, err := cell.ParseOwner(r.GetOwner())
	if err != nil {
		return nil, err
	}
	l, err := s.Operator.Install(ctx, owner, r.GetGeneration(), r.GetScramVerifier())
	if err != nil {
		return nil, err
	}
	return &tenantv1.InstallLoginResponse{Login: loginMessage(l)}, nil
}

// DisableLogin takes LOGIN away.
func (s *Cells) DisableLogin(ctx context.Context, r *tenantv1.DisableLoginRequest) (*tenantv1.DisableLoginResponse, error) {
	owner, err := cell.ParseOwner(r.GetOwner())
	if err != nil {
		return nil, err
	}
	l, err := s.Operator.Disable(ctx, owner, r.GetGeneration(), r.GetEndSessions())
	if err != nil {
		return nil, err
	}
	return &tenantv1.DisableLoginResponse{Login: loginMessage(l)}, nil
}

// EnableLogin gives LOGIN back.
func (s *Cells) EnableLogin(ctx context.Context, r *tenantv1.EnableLoginRequest) (*tenantv1.EnableLoginResponse, error) {
	owner, err := cell.ParseOwner(r.GetOwner())
	if err != nil {
		return nil, err
	}
	l, err := s.Operator.Enable(ctx, owner, r.GetGeneration())
	if err != nil {
		return nil, err
	}
	return &tenantv1.EnableLoginResponse{Login: loginMessage(l)}, nil
}

// DropLogin drops a disabled generation.
func (s *Cells) DropLogin(ctx context.Context, r *tenantv1.DropLoginRequest) (*tenantv1.DropLoginResponse, error) {
	owner, err := cell.ParseOwner(r.GetOwner())
	if err != nil {
		return nil, err
	}
	return &tenantv1.DropLoginResponse{}, s.Operator.Drop(ctx, owner, r.GetGeneration())
}

// ObserveLogins lists the generations at the server.
func (s *Cells) ObserveLogins(ctx context.Context, r *tenantv1.ObserveLoginsRequest) (*tenantv1.ObserveLoginsResponse, error) {
	owner, err := cell.ParseOwner(r.GetOwner())
	if err != nil {
		return nil, err
	}
	logins, err := s.Operator.Observe(ctx, owner)
	if err != nil {
		return nil, err
	}
	reply := &tenantv1.ObserveLoginsResponse{}
	for _, l := range logins {
		reply.Logins = append(reply.Logins, loginMessage(l))
	}
	return reply, nil
}

// StageRestore makes an empty schema and a login for a restore.
func (s *Cells) StageRestore(ctx context.Context, r *tenantv1.StageRestoreRequest) (*tenantv1.StageRestoreResponse, error) {
	restore := restoreOf(r)
	if err := s.Stager.Stage(ctx, restore, r.GetScramVerifier()); err != nil {
		return nil, err
	}
	return &tenantv1.StageRestoreResponse{
		Cell: cellMessage(s.Cell), Schema: restore.Staged(), Role: restore.Staged(), ScratchDatabase: restore.Scratch(),
	}, nil
}

// SwapRestore makes the staged schema the live one.
func (s *Cells) SwapRestore(ctx context.Context, r *tenantv1.SwapRestoreRequest) (*tenantv1.SwapRestoreResponse, error) {
	restore := restoreOf(r)
	if err := s.Stager.Swap(ctx, restore); err != nil {
		return nil, err
	}
	return &tenantv1.SwapRestoreResponse{UndoSchema: restore.Undo()}, nil
}

// UndoRestore makes the kept schema the live one again.
func (s *Cells) UndoRestore(ctx context.Context, r *tenantv1.UndoRestoreRequest) (*tenantv1.UndoRestoreResponse, error) {
	return &tenantv1.UndoRestoreResponse{}, s.Stager.Undo(ctx, restoreOf(r))
}

// ClearRestore drops what a restore left.
func (s *Cells) ClearRestore(ctx context.Context, r *tenantv1.ClearRestoreRequest) (*tenantv1.ClearRestoreResponse, error) {
	return &tenantv1.ClearRestoreResponse{}, s.Stager.Clear(ctx, restoreOf(r), r.GetDropUndo())
}

func restoreOf(r interface {
	GetWorkspace() string
	GetRestoreId() string
},
) cell.Restore {
	ref, _ := workspace.ParseName(r.GetWorkspace())
	return cell.Restore{Ref: ref, ID: r.GetRestoreId()}
}
