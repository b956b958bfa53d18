CREATE TABLE "vm_host_key" (
	"target" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
