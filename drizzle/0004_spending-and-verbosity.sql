ALTER TABLE "project_channel" ADD COLUMN "verbosity" text;--> statement-breakpoint
CREATE INDEX "transcript_turn_ended" ON "transcript" USING btree ("at") WHERE kind = 'turnEnded';--> statement-breakpoint
CREATE INDEX "transcript_heard" ON "transcript" USING btree ((body->>'postId')) WHERE kind = 'heard';