DROP INDEX "actor_kind_status";--> statement-breakpoint
ALTER TABLE "actor" ADD COLUMN "state_name" text GENERATED ALWAYS AS (case jsonb_typeof(state #> '{snapshot,value}') when 'string' then state #>> '{snapshot,value}'
          else jsonb_path_query_first(state, '$.snapshot.value.keyvalue().key') #>> '{}' end) STORED;--> statement-breakpoint
CREATE INDEX "actor_kind_status" ON "actor" USING btree ("kind","status","state_name");