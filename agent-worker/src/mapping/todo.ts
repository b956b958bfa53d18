// The agent's todo list. No message carries the whole list when the Task* tools keep it, so it is put together here:
// the id of an item is only in TaskCreate's result, changes hold once their result says so. TodoWrite replaces it all.
import { type TodoItem, TodoStatus } from '../generated/claude_agent/v1/agent.ts';
import { list, record, text } from './json.ts';
import type { MapperState, Output } from './state.ts';

const TODO_TOOLS = new Set(['TaskCreate', 'TaskUpdate', 'TaskList', 'TodoWrite']);

/** Remembers a call of a todo tool until its result is known. */
export function noteTodoCall(state: MapperState, toolUseId: string, name: string, input: unknown): void {
  if (TODO_TOOLS.has(name)) state.todoCalls.set(toolUseId, { name, input });
}

/** The whole list, if this result changed it. */
export function noteTodoResult(state: MapperState, toolUseId: string, isError: boolean, result: unknown): Output[] {
  const call = state.todoCalls.get(toolUseId);
  if (!call) return [];
  state.todoCalls.delete(toolUseId);
  if (isError) return [];
  const next = apply(state.todos, call.name, record(call.input), record(result));
  if (JSON.stringify(next) === JSON.stringify(state.todos)) return [];
  state.todos = next;
  return [{ $case: 'todoList', value: { items: next.map((item) => ({ ...item })) } }];
}

function apply(
  todos: readonly TodoItem[],
  name: string,
  input: Readonly<Record<string, unknown>>,
  result: Readonly<Record<string, unknown>>,
): TodoItem[] {
  switch (name) {
    case 'TaskCreate': {
      const task = record(result.task);
      const id = text(task.id);
      if (id === '') return [...todos];
      const item = { id, text: text(task.subject) || text(input.subject), status: TodoStatus.PENDING };
      return [...todos.filter((todo) => todo.id !== id), item];
    }
    case 'TaskUpdate': {
      const id = text(result.taskId) || text(input.taskId);
      const to = text(record(result.statusChange).to);
      if (to === 'deleted') return todos.filter((todo) => todo.id !== id);
      const subject = text(input.subject);
      return todos.map((todo) =>
        todo.id === id ? { ...todo, text: subject || todo.text, status: to === '' ? todo.status : statusOf(to) } : todo,
      );
    }
    case 'TaskList':
      return list(result.tasks).map((item) => {
        const task = record(item);
        return { id: text(task.id), text: text(task.subject), status: statusOf(text(task.status)) };
      });
    default:
      return list(result.newTodos ?? input.todos).map((item, index) => {
        const todo = record(item);
        return { id: String(index + 1), text: text(todo.content), status: statusOf(text(todo.status)) };
      });
  }
}

function statusOf(status: string): TodoStatus {
  switch (status) {
    case 'in_progress':
      return TodoStatus.IN_PROGRESS;
    case 'completed':
      return TodoStatus.COMPLETED;
    default:
      return TodoStatus.PENDING;
  }
}
