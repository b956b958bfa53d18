import { changed, dropPost, state, takePosts } from './state.js';

const TYPING_MS = 5_000;

/**
 * Brings an event of the server into the state.
 * @param {{ event: string, data: any, broadcast: any }} frame
 * @param {{ reloadChannels: () => void }} actions
 */
export function applyEvent(frame, actions) {
  const { event, data, broadcast } = frame;
  switch (event) {
    case 'posted':
      posted(JSON.parse(data.post));
      break;
    case 'post_edited':
    case 'ephemeral_message':
      takePosts([JSON.parse(data.post)]);
      break;
    case 'post_deleted':
      dropPost(JSON.parse(data.post));
      break;
    case 'reaction_added':
      setReactions(JSON.parse(data.reaction), (others, reaction) => [...others, reaction]);
      break;
    case 'reaction_removed':
      setReactions(JSON.parse(data.reaction), (others) => others);
      break;
    case 'typing':
      typing(broadcast.channel_id, data.parent_id, data.user_id);
      break;
    case 'channel_updated': {
      const channel = JSON.parse(data.channel);
      state.channels.set(channel.id, channel);
      changed();
      break;
    }
    case 'channel_created':
    case 'channel_deleted':
    case 'user_added':
    case 'user_removed':
    case 'added_to_team':
      if (data.user_id === undefined || data.user_id === state.me?.id || event.startsWith('channel_'))
        actions.reloadChannels();
      break;
    default:
      break;
  }
}

function posted(post) {
  for (const [key, each] of state.typing) if (each.userId === post.user_id) state.typing.delete(key);
  const elsewhere = post.channel_id !== state.channelId || document.hidden;
  if (elsewhere && !post.type && post.user_id !== state.me?.id) {
    state.unread.set(post.channel_id, (state.unread.get(post.channel_id) ?? 0) + 1);
  }
  takePosts([post]);
}

function setReactions(reaction, change) {
  const post = state.posts.get(reaction.post_id);
  if (!post) return;
  const others = (post.metadata?.reactions ?? []).filter(
    (each) => each.user_id !== reaction.user_id || each.emoji_name !== reaction.emoji_name,
  );
  state.posts.set(post.id, { ...post, metadata: { ...post.metadata, reactions: change(others, reaction) } });
  changed();
}

function typing(channelId, parentId, userId) {
  state.typing.set(`${channelId}/${parentId}/${userId}`, {
    channelId,
    parentId,
    userId,
    until: Date.now() + TYPING_MS,
  });
  changed();
  setTimeout(changed, TYPING_MS + 50);
}
